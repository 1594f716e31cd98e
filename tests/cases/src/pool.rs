//! Worlds that take their time to make, on which one row is played after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Names, Step, World};

/// A world that another row can be played on: it sees nothing of the rows before.
pub trait Again: World {
    /// Begins another row.
    fn begin_again(&mut self);
}

/// Worlds that no row is played on at the moment.
#[derive(Debug)]
pub struct Pool<W>(Mutex<Vec<W>>);

/// A world that goes back to its pool when its row has been played.
#[derive(Debug)]
pub struct Pooled<'a, W> {
    pool: &'a Pool<W>,
    world: Option<W>,
}

impl<W> Default for Pool<W> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<W: Again> Pool<W> {
    /// A world for another row, a new one where all are in use.
    pub fn take(&self, make: impl FnOnce() -> W) -> Pooled<'_, W> {
        let held = self.worlds().pop();
        let mut world = held.unwrap_or_else(make);
        world.begin_again();
        Pooled {
            pool: self,
            world: Some(world),
        }
    }
}

impl<W> Pool<W> {
    fn worlds(&self) -> MutexGuard<'_, Vec<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Drop for Pooled<'_, W> {
    fn drop(&mut self) {
        // On what a row left that panicked nothing more is played.
        if !std::thread::panicking() {
            self.pool.worlds().extend(self.world.take());
        }
    }
}

impl<W: World> Pooled<'_, W> {
    fn world(&mut self) -> Option<&mut W> {
        self.world.as_mut()
    }
}

impl<W: World> World for Pooled<'_, W> {
    fn at(&mut self, time: &str) {
        if let Some(world) = self.world() {
            world.at(time);
        }
    }

    fn wait(&mut self, seconds: i64) {
        if let Some(world) = self.world() {
            world.wait(seconds);
        }
    }

    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String> {
        self.world()
            .map_or_else(Vec::new, |world| world.catalogue(rules, offers))
    }

    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>) {
        if let Some(world) = self.world() {
            world.account(id, account_type, parent, zone);
        }
    }

    fn before_request(&mut self) {
        if let Some(world) = self.world() {
            world.before_request();
        }
    }

    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        match self.world() {
            Some(world) => world.act(step, names),
            None => Err("the world is gone".to_owned()),
        }
    }
}
