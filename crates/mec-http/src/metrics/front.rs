//! What the front door refuses and drops.

use std::sync::atomic::Ordering;

use super::families::Family;
use crate::layers::Front;

pub fn tell(front: &Front, families: &mut Vec<Family>) {
    let counts = front.counts();
    families.push(Family::counter(
        "mec_rate_limited_total",
        "Requests that were refused since their client sent too many",
        &counts.rate_limited,
    ));
    for (name, help, count) in front.log_counts() {
        let mut told = Family::counters(name, help);
        told.count(&[], count as f64);
        families.push(told);
    }
    let mut shed = Family::counters(
        "mec_shed_total",
        "Requests that were turned away since too many of their kind were under way",
    );
    for (budget, count) in [
        ("checks", &counts.shed_checks),
        ("writes", &counts.shed_writes),
        ("queries", &counts.shed_queries),
    ] {
        shed.count(&[("budget", budget)], count.load(Ordering::Relaxed) as f64);
    }
    families.push(shed);
}
