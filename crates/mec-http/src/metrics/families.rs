//! Metrics in the form that the encoder takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mec_engine::Histogram;
use prometheus::proto::{self, Bucket, LabelPair, Metric, MetricFamily, MetricType};

/// Labels by name and value.
type Labels<'a> = &'a [(&'static str, &'a str)];

/// In what a histogram counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Pieces of something.
    Pieces,
    /// Microseconds, which are told as seconds.
    Micros,
}

/// The metrics of one name.
pub struct Family(MetricFamily);

impl Family {
    pub fn counters(name: &str, help: &str) -> Self {
        Self::of(name, help, MetricType::COUNTER)
    }

    pub fn gauges(name: &str, help: &str) -> Self {
        Self::of(name, help, MetricType::GAUGE)
    }

    pub fn histograms(name: &str, help: &str) -> Self {
        Self::of(name, help, MetricType::HISTOGRAM)
    }

    /// One counter without labels.
    pub fn counter(name: &str, help: &str, count: &AtomicU64) -> Self {
        let mut family = Self::counters(name, help);
        family.count(&[], count.load(Ordering::Relaxed) as f64);
        family
    }

    /// One gauge without labels.
    pub fn gauge(name: &str, help: &str, value: f64) -> Self {
        let mut family = Self::gauges(name, help);
        family.value(&[], value);
        family
    }

    /// One histogram without labels.
    pub fn histogram(name: &str, help: &str, unit: Unit, histogram: &Histogram) -> Self {
        let mut family = Self::histograms(name, help);
        family.distribution(&[], unit, histogram);
        family
    }

    fn of(name: &str, help: &str, kind: MetricType) -> Self {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Self(family)
    }

    /// Adds a counter.
    pub fn count(&mut self, labels: Labels<'_>, count: f64) {
        let mut counter = proto::Counter::default();
        counter.set_value(count);
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        self.0.mut_metric().push(metric);
    }

    /// Adds a gauge.
    pub fn value(&mut self, labels: Labels<'_>, value: f64) {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        let mut metric = labelled(labels);
        metric.set_gauge(gauge);
        self.0.mut_metric().push(metric);
    }

    /// Adds a histogram.
    pub fn distribution(&mut self, labels: Labels<'_>, unit: Unit, histogram: &Histogram) {
        let told = |value: u64| match unit {
            Unit::Pieces => value as f64,
            Unit::Micros => Duration::from_micros(value).as_secs_f64(),
        };
        let held = histogram.buckets();
        let bucket = |(bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(told(bound));
            bucket.set_cumulative_count(count);
            bucket
        };
        let mut histogram = proto::Histogram::default();
        histogram.set_sample_count(held.count);
        histogram.set_sample_sum(told(held.sum));
        histogram.set_bucket(held.cumulative.into_iter().map(bucket).collect());
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        self.0.mut_metric().push(metric);
    }

    /// The family, if there is anything in it: the encoder refuses one without.
    pub fn finish(self) -> Option<MetricFamily> {
        Some(self.0).filter(|family| !family.get_metric().is_empty())
    }
}

fn labelled(labels: Labels<'_>) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}
