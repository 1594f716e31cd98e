//! Taking over changed settings on SIGHUP, without a restart.
//!
//! Each part of the server that can change while it runs is a hook. All of them look at the new settings before
//! one of them takes them over, so that a wrong setting leaves everything as it was.

use anyhow::{Result, anyhow, bail};
use mec_http::Front;
use mec_http::audit::{SecurityEvent, SecurityOutcome};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::place::Place;
use crate::serve::ServeArgs;
use crate::settings::{Settings, Values};
use crate::{Command, Started};

/// What puts looked-at settings into force. It cannot fail.
pub type TakeOver = Box<dyn FnOnce() + Send>;

type Look = Box<dyn Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send>;

struct Hook {
    names: &'static [&'static str],
    look: Look,
}

/// The settings of a running server, and what can take over new ones.
pub struct Reload {
    started: Started,
    /// What the server was started with, to which a restart is compared.
    values: Values,
    hooks: Vec<Hook>,
    front: Front,
}

impl Reload {
    /// Nothing can be taken over yet.
    pub fn new(started: Started, settings: &Settings, front: Front) -> Self {
        Self {
            started,
            values: settings.values.clone(),
            hooks: Vec::new(),
            front,
        }
    }

    /// Adds a part of the server that takes over the settings of these names. It looks at them on every SIGHUP,
    /// changed or not, since the files that they name may have changed.
    pub fn with(
        mut self,
        names: &'static [&'static str],
        look: impl Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send + 'static,
    ) -> Self {
        self.hooks.push(Hook {
            names,
            look: Box::new(look),
        });
        self
    }

    /// Listens for SIGHUP from now on, and takes over settings each time.
    ///
    /// # Errors
    /// The system gives no signals.
    pub fn listen(self) -> Result<tokio::task::JoinHandle<()>> {
        let hangups = signal(SignalKind::hangup())?;
        Ok(tokio::spawn(self.run(hangups)))
    }

    async fn run(self, mut hangups: Signal) {
        while hangups.recv().await.is_some() {
            // Files are read, so not as if it were nothing.
            let outcome = match tokio::task::block_in_place(|| self.again()) {
                Ok(()) => {
                    tracing::info!("the settings were reloaded");
                    SecurityOutcome::Done
                }
                Err(error) => {
                    tracing::error!(
                        "the settings were not reloaded, and the old ones stay: {error:#}"
                    );
                    SecurityOutcome::Failed
                }
            };
            let security = self.front.security();
            security.tell(&SecurityEvent::ConfigReloaded, outcome, None);
        }
    }

    fn again(&self) -> Result<()> {
        let (cli, settings) = self.started.read().map_err(|error| anyhow!("{error}"))?;
        let Some(Command::Serve(args)) = &cli.command else {
            bail!("the command line is none of `mec serve`");
        };
        let wrong = settings.all_wrong(args);
        if !wrong.is_empty() {
            bail!("{}", wrong.join("; "));
        }
        let looked = self.hooks.iter().map(|hook| (hook.look)(&cli.place, args));
        for take_over in looked.collect::<Result<Vec<_>>>()? {
            take_over();
        }
        for warning in settings.all_warnings() {
            tracing::warn!("{warning}");
        }
        for name in self.values.changed_to(&settings.values) {
            if !self
                .hooks
                .iter()
                .any(|hook| hook.names.contains(&name.as_str()))
            {
                tracing::warn!("{name} has changed; a restart puts it into force");
            }
        }
        Ok(())
    }
}
