//! The events of a lab, as a terminal shows them.

use indicatif::ProgressBar;
use jiff::tz::TimeZone;

use crate::{
    commands::console,
    error::Error,
    model::Format,
    report::{self, Paint},
};

use super::event::Event;

/// Shows the events of a lab in a terminal.
pub struct Terminal {
    format: Format,
    paint: Paint,
    zone: TimeZone,
    doing: Option<ProgressBar>,
    bar: Option<ProgressBar>,
}

impl Terminal {
    pub fn new(format: Format) -> Terminal {
        Terminal { format, paint: console::paint_stderr(), zone: TimeZone::system(), doing: None, bar: None }
    }

    pub fn show(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Note(note) => match &self.doing {
                // a spinner must not be drawn over it
                Some(doing) => doing.suspend(|| console::say(&format!("note: {note}"))),
                None => console::say(&format!("note: {note}")),
            },
            Event::Doing(what) => {
                self.doing.get_or_insert_with(console::spinner).set_message(what);
            }
            Event::Starting { ready, of } => {
                self.clear_doing();
                let bar = self.bar.get_or_insert_with(|| console::bar(of.into(), "starting replicas"));
                bar.set_position(ready.into());
            }
            Event::Ready(view) => {
                self.clear();
                console::print(&*view, self.format)?;
            }
            Event::Entry(entry) => console::say(&report::line(&entry, &self.zone, self.paint)),
            Event::Failed { .. } => self.clear(),
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.clear_doing();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn clear_doing(&mut self) {
        if let Some(doing) = self.doing.take() {
            doing.finish_and_clear();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}
