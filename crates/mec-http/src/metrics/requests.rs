//! Requests by route, method and status. Routes are told by their templates, so that their number is
//! bounded whatever clients send, and each has its place from the start, so that counting takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

use axum::http::StatusCode;
use mec_engine::{Histogram, TIMES_MICROS};
use rustc_hash::FxHashMap;

use super::families::{Family, Unit};
use crate::error::CODES;
use crate::layers::Answered;

/// What no route has the path of.
const NO_ROUTE: &str = "none";
/// Routes that the description does not tell of.
const OTHER: &str = "other";
/// Routes beside those of the description.
const UNDESCRIBED: [&str; 4] = ["/api/", "/api/{name}", "/api/rpc/{name}", "/docs"];

/// The methods by the names that they are told by; the last stands for all others.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER,
];

/// Statuses in their order. All others are counted as 0.
const STATUSES: [u16; 27] = [
    200, 201, 202, 204, 206, 300, 304, 400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 414, 415,
    416, 422, 429, 431, 500, 501, 503, 504,
];

static TEMPLATES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let described = crate::openapi().paths.paths.into_keys();
    described
        .chain(UNDESCRIBED.map(str::to_owned))
        .chain([NO_ROUTE.to_owned(), OTHER.to_owned()])
        .collect()
});

/// The counts of all requests.
pub struct Requests {
    places: FxHashMap<&'static str, usize>,
    routes: Box<[[OnceLock<Box<Counts>>; METHODS.len()]]>,
    errors: [AtomicU64; CODES.len()],
    under_way: AtomicU64,
}

/// Those of a route and method.
struct Counts {
    seconds: Histogram,
    statuses: [AtomicU64; STATUSES.len()],
    other: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(TIMES_MICROS),
            statuses: std::array::from_fn(|_| AtomicU64::default()),
            other: AtomicU64::default(),
        }
    }
}

impl Default for Requests {
    fn default() -> Self {
        let templates = TEMPLATES.iter().enumerate();
        Self {
            places: templates.map(|(at, name)| (name.as_str(), at)).collect(),
            routes: TEMPLATES.iter().map(|_| Default::default()).collect(),
            errors: std::array::from_fn(|_| AtomicU64::default()),
            under_way: AtomicU64::default(),
        }
    }
}

impl Requests {
    /// How many requests are under way.
    pub fn under_way(&self) -> &AtomicU64 {
        &self.under_way
    }

    /// Counts a request that was answered.
    pub fn note(&self, answered: &Answered) {
        let of_template = |template| self.routes.get(*self.places.get(template)?);
        let of_route = of_template(answered.route()).or_else(|| of_template(OTHER));
        let of_method = of_route.and_then(|of_route| of_route.get(place_of(answered.method)));
        if let Some(counts) = of_method {
            let counts = counts.get_or_init(Default::default);
            counts.seconds.observe_time(answered.duration);
            add(counts.of_status(answered.status));
        }
        let row = answered
            .error
            .and_then(|code| CODES.iter().position(|row| row.code == code));
        if let Some(count) = row.and_then(|row| self.errors.get(row)) {
            add(count);
        }
    }

    /// All of it.
    pub fn tell(&self, families: &mut Vec<Family>) {
        let mut requests =
            Family::counters("mec_http_requests_total", "Requests that were answered");
        let mut seconds = Family::histograms(
            "mec_http_request_duration_seconds",
            "How long requests took, from their head to the head of their answer",
        );
        for (route, methods) in TEMPLATES.iter().zip(&self.routes) {
            for (method, counts) in METHODS.into_iter().zip(methods) {
                let Some(counts) = counts.get() else { continue };
                let labels = [("route", route.as_str()), ("method", method)];
                seconds.distribution(&labels, Unit::Micros, &counts.seconds);
                let statuses = STATUSES.iter().zip(&counts.statuses);
                for (status, count) in statuses.chain([(&0, &counts.other)]) {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        let status = status.to_string();
                        let [route, method] = labels;
                        requests.count(&[route, method, ("status", &status)], count as f64);
                    }
                }
            }
        }
        let mut errors = Family::counters("mec_http_errors_total", "Errors by their codes");
        for (row, count) in CODES.iter().zip(&self.errors) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                errors.count(&[("code", row.code)], count as f64);
            }
        }
        families.extend([requests, seconds, errors]);
        families.push(Family::gauge(
            "mec_http_requests_in_flight",
            "Requests that are under way",
            self.under_way.load(Ordering::Relaxed) as f64,
        ));
    }
}

impl Counts {
    fn of_status(&self, status: StatusCode) -> &AtomicU64 {
        let place = STATUSES.binary_search(&status.as_u16()).ok();
        let count = place.and_then(|place| self.statuses.get(place));
        count.unwrap_or(&self.other)
    }
}

fn place_of(method: &str) -> usize {
    let place = METHODS.iter().position(|name| *name == method);
    place.unwrap_or(METHODS.len() - 1)
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_statuses_have_their_places() {
        for (place, name) in METHODS.into_iter().enumerate().take(7) {
            assert_eq!(place_of(name), place);
        }
        assert_eq!(place_of("TRACE"), 7);
        assert!(STATUSES.is_sorted());
        for row in CODES {
            assert!(STATUSES.contains(&row.status), "{}", row.code);
        }
    }
}
