//! Histories: what is done, in steps that mean something whatever came before, so that any step can
//! be left out of a counterexample.

/// A whole history. `start` names its first moment, `focus` the resource that it is mostly about.
#[derive(Clone, Debug)]
pub struct History {
    pub start: usize,
    pub focus: usize,
    pub given: Vec<Step>,
    pub steps: Vec<Step>,
}

/// What is asked for: a resource, a scope and a context, each by its index. The resource 0 is the
/// history's own, so that its steps meet each other.
#[derive(Clone, Copy, Debug)]
pub struct What {
    pub who: usize,
    pub resource: usize,
    pub scope: usize,
    pub context: usize,
}

/// A moment, in seconds from the clock's, on a whole minute or not.
#[derive(Clone, Copy, Debug)]
pub struct When {
    pub seconds: i64,
    pub whole: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Entitle {
    pub kind: usize,
    pub allowed: Option<i64>,
    pub window: usize,
    pub starts: Option<When>,
    pub lasts: Option<i64>,
    pub anchor: Option<When>,
    pub usage_from: Option<When>,
    pub priority: i32,
    pub suspended: bool,
    pub condition: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct RuleRow {
    pub resource: usize,
    pub scope: usize,
    pub kind: usize,
    pub action: usize,
    pub warn_at: Option<i64>,
    pub grace: Option<i64>,
    pub hours: Option<u32>,
    pub priority: i32,
    pub condition: usize,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// The clock goes on by so many seconds; by a microsecond less where it is `shy`.
    Pass {
        seconds: i64,
        shy: bool,
    },
    /// The clock goes on to the next whole minute.
    ToMinute,
    /// The clock goes on to the moment at which something ends or begins, or to just before it.
    ToEnd {
        nth: usize,
        shy: bool,
    },
    /// The clock is set back by so many seconds.
    Back(i64),
    Restart,
    Account {
        under: Option<usize>,
        kind: usize,
        zone: usize,
        /// Whether it tells who a person is.
        named: bool,
    },
    /// An account moves below another, or becomes an owner.
    Move {
        who: usize,
        under: Option<usize>,
    },
    Erase {
        who: usize,
    },
    Status {
        who: usize,
        status: usize,
    },
    Entitle(What, Entitle),
    Rules(Vec<RuleRow>),
    Check {
        what: What,
        quantity: usize,
        unit: usize,
        explain: bool,
    },
    Meter {
        what: What,
        quantity: usize,
        unit: usize,
        at: Option<When>,
    },
    Consume {
        what: What,
        quantity: usize,
        unit: usize,
    },
    Reserve {
        what: What,
        quantity: usize,
        unit: usize,
        ttl: i64,
    },
    Commit {
        nth: usize,
        quantity: Option<usize>,
    },
    Release {
        nth: usize,
    },
    Correct {
        nth: usize,
        quantity: usize,
    },
    SetInventory {
        what: What,
        quantity: usize,
    },
    Grant {
        what: What,
        quantity: usize,
        window: Option<usize>,
        priority: i32,
        expires: Option<i64>,
    },
    Void {
        nth: usize,
    },
    Acquire {
        what: What,
        slots: u32,
        ttl: i64,
        session: Option<usize>,
    },
    Heartbeat {
        nth: usize,
        extend: Option<i64>,
    },
    GiveBack {
        nth: usize,
    },
    Provision {
        who: usize,
        plan: usize,
        starts: Option<When>,
        seats: Option<u32>,
    },
    ChangePlan {
        who: usize,
        from: usize,
        to: usize,
        at: Option<When>,
        carry_over: bool,
    },
    CancelPlan {
        who: usize,
        plan: usize,
        at: Option<When>,
    },
    /// An earlier call with its key again; `other` makes it another call.
    Again {
        nth: usize,
        other: bool,
    },
    /// A step in the other namespace.
    Elsewhere(Box<Step>),
    /// Writes that come at once and are committed together.
    Together(Vec<Step>),
    /// Every account and resource is checked, what was used is asked for, and rows are read.
    Look,
}
