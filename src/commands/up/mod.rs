//! `lbctl up`: starts the lab and keeps it until it is told to stop.

mod background;
mod event;
mod prepare;
mod supervise;
mod terminal;

use crate::{
    cli::Up,
    error::{Error, Exit},
};

use terminal::Terminal;

/// Starts the lab, in this process or in one in the background.
pub async fn run(args: Up) -> Result<Exit, Error> {
    if args.background {
        return background::serve(args).await;
    }
    let mut terminal = Terminal::new(args.output.format);
    if args.detach {
        background::launch(&args.project.project, &mut terminal).await
    } else {
        supervise::run(&args, |event| terminal.show(event)).await
    }
}
