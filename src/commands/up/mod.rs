//! `lbctl up`: starts the lab and keeps it until it is told to stop.

mod event;
mod launch;
mod prepare;
mod serve;
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
        return serve::serve(args).await;
    }
    let mut terminal = Terminal::new(args.output.format);
    if args.detach {
        launch::launch(&args.project.project, &mut terminal).await
    } else {
        supervise::run(&args, |event| terminal.show(event)).await
    }
}
