//! The lab as text: its replicas, and the effect of a change of their number.

use comfy_table::Cell;

use serde::Serialize;

use crate::model::{LabView, ScaleView, ServiceStrategy};

use super::{
    Report,
    style::{self, Paint},
    text::count,
};

impl Report for LabView {
    fn table(&self, paint: Paint) -> String {
        render_lab(self, paint)
    }

    fn json(&self) -> impl Serialize {
        self
    }
}

impl Report for ScaleView {
    fn table(&self, _: Paint) -> String {
        render_change(self)
    }

    fn json(&self) -> impl Serialize {
        self
    }
}

/// The URL of the lab, and its other hosts.
fn render_address(view: &LabView) -> String {
    let others = view.hosts.iter().filter(|host| !view.url.contains(host.as_str())).cloned().collect::<Vec<_>>();
    let also = if others.is_empty() { String::new() } else { format!("  (also as {})", others.join(", ")) };
    format!("{}{also}", view.url)
}

/// A table of the replicas, and a line for each service.
fn render_lab(view: &LabView, paint: Paint) -> String {
    let mut table = style::table(paint);
    let replicas = || view.services.values().flat_map(|service| &service.replicas);
    // the hostnames get a column only where one differs from the name of its replica
    let hostnames = replicas().any(|replica| replica.hostname != replica.name);
    let with = |hostname: Cell| hostnames.then_some(hostname);
    table.set_header(
        [Cell::new("replica")]
            .into_iter()
            .chain(with("hostname".into()))
            .chain(["address", "state", "restarts"].map(Cell::new)),
    );
    for replica in replicas() {
        let name = [style::instance_cell(&replica.name, &replica.name, paint)].into_iter();
        table.add_row(name.chain(with(Cell::new(&replica.hostname))).chain([
            replica.address.map_or("-".to_owned(), |address| address.to_string()).into(),
            replica.state.into(),
            replica.restarts.into(),
        ]));
    }
    let mut text = format!("{}\n{}\n", render_address(view), table.trim_fmt());
    for (name, service) in &view.services {
        let replicas = count(service.replicas.len() as u64, "replica");
        let sticky = match &service.sticky_cookie {
            Some(cookie) => format!("sticky by cookie {cookie}"),
            None => "not sticky".to_owned(),
        };
        text += &match service.strategy {
            ServiceStrategy::None => format!("{name}: {replicas}, not routed\n"),
            strategy => format!("{name}: {replicas}, {strategy}, {sticky}\n"),
        };
    }
    text
}

/// The effect of a change of the number of replicas.
fn render_change(view: &ScaleView) -> String {
    let mut text = String::new();
    for (name, scaled) in &view.services {
        let (from, to, lost) = (scaled.from, scaled.to, scaled.lost);
        text += &if from == to {
            format!("{name}: {}, as before", count(to, "replica"))
        } else {
            format!("{name}: {from} → {}", count(to, "replica"))
        };
        if lost.sessions > 0 {
            text += &format!(
                "\n  {} that lived there {} gone, {} of them logged in",
                count(lost.sessions as u64, "session"),
                if lost.sessions == 1 { "is" } else { "are" },
                lost.logged_in,
            );
        }
        text.push('\n');
    }
    text
}
