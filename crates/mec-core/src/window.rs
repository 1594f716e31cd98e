//! stub
#![allow(missing_docs)]
use crate::time::Timestamp;
use std::sync::Arc;
#[derive(Clone,Copy,Debug,Eq,PartialEq)]
pub enum WindowMode { Calendar, Anniversary, Rolling, None }
#[derive(Clone,Copy,Debug,Eq,PartialEq)]
pub enum PeriodUnit { Minute }
#[derive(Clone,Debug,PartialEq)]
pub struct WindowType { pub code: Arc<str>, pub description: String, pub mode: WindowMode, pub period_unit: Option<PeriodUnit>, pub period_count: u32 }
#[derive(Clone,Debug,PartialEq)]
pub struct Zone(());
impl Zone { pub fn parse(_: &str) -> Option<Zone> { Some(Zone(())) } pub fn utc() -> Zone { Zone(()) } }
#[derive(Clone,Copy,Debug,PartialEq)]
pub struct Window { pub start: Option<Timestamp>, pub end: Option<Timestamp> }
impl WindowType { pub fn window_at(&self, _a: Timestamp, _z:&Zone, _r: Timestamp) -> Window { Window{start:None,end:None} }
 pub fn approx_length_minutes(&self) -> u64 {0}
 pub fn first_moment_after_leaving(&self, b: Timestamp) -> Timestamp { b }
 pub fn all_time() -> &'static WindowType { use std::sync::LazyLock; static A: LazyLock<WindowType> = LazyLock::new(|| WindowType{code:"none".into(),description:String::new(),mode:WindowMode::None,period_unit:None,period_count:1}); &A } }
pub fn seeded() -> Vec<WindowType> { vec![] }
