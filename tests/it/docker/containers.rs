//! What the engine wing sees of containers, and does to them.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jiff::Timestamp;
use lbctl::{
    engine::{Container, Containers, Docker, ExecOutput, FollowMode, Naming, Scope},
    model::State,
};
use tokio::sync::watch;

use crate::support::{
    DEADLINE,
    docker::{Project, docker},
};

fn scope(project: &Project) -> Scope {
    Scope::Project(project.name.clone())
}

/// Waits until what is published is as it should be.
async fn until<T: Clone + std::fmt::Debug>(
    what: &str,
    of: &mut watch::Receiver<T>,
    mut is: impl FnMut(&T) -> bool,
) -> T {
    let found = tokio::time::timeout(DEADLINE, of.wait_for(|now| is(now))).await.map(|now| now.unwrap().clone());
    found.unwrap_or_else(|_| panic!("waited in vain for {what}: {:?}", of.borrow()))
}

#[tokio::test]
async fn containers_are_listed_by_service_and_number() {
    let Some(project) = Project::new() else { return };
    project.server("web", 2, &["--hostname", "two", "--label", "lbctl.app=api", "--publish", "127.0.0.1::80"]);
    project.server("web", 1, &["--label", "com.docker.compose.oneoff=True"]);
    project.run("web", 10, &["--rm=false"], &["sh", "-c", "exit 3"]);
    project.create("api", 1, &["true"]);
    let docker = Docker::connect().await.unwrap();
    let mut listed = Vec::new();
    for _ in 0..100 {
        listed = docker.containers(&scope(&project)).await.unwrap();
        if listed.iter().any(|container| container.state == State::Ended) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seen = |container: &Container| (container.service.clone().unwrap(), container.number, container.state);
    let expected = [("api", 1, State::Starting), ("web", 2, State::Ready), ("web", 10, State::Ended)];
    assert_eq!(
        listed.iter().map(seen).collect::<Vec<_>>(),
        expected.map(|(service, number, state)| (service.to_owned(), number, state))
    );
    let two = &listed[1];
    assert_eq!((&*two.hostname, &*two.image, &*two.exposed), ("two", project.image(), &[80][..]));
    assert!(two.ip.is_some() && two.started.is_some_and(|started| started < Timestamp::now()), "{two:?}");
    let published = two.published.first().unwrap();
    assert!(published.inside == 80 && published.at.ip().is_loopback() && published.at.port() > 0, "{two:?}");
    assert!(two.args.iter().any(|argument| argument == "node"), "{two:?}");
    assert_eq!(listed[2].exit.as_deref(), Some("exit code 3"));
    assert_eq!(listed[0].started, None);

    let projects = docker.projects().await.unwrap();
    let ours = projects.iter().find(|found| found.name == project.name).unwrap();
    assert!(ours.lab && ours.running == 2, "{ours:?}");
    assert!(docker.containers(&Scope::All).await.unwrap().contains(two));
}

#[tokio::test]
async fn a_log_is_read_in_lines_and_a_command_run_to_its_end() {
    let Some(project) = Project::new() else { return };
    // more than one message
    let script = "echo one; echo two >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; sleep 0.3; echo three; \
                  trap 'exit 0' TERM; sleep 1000 & wait";
    // a container's first line may be older than the start that the engine notes for it
    let before = Timestamp::now();
    let id = project.run("web", 1, &[], &["sh", "-c", script]);
    let docker = Docker::connect().await.unwrap();
    let mut log = docker.log(&id, None, FollowMode::On);
    let mut lines = Vec::new();
    while lines.len() < 4 {
        lines.push(tokio::time::timeout(DEADLINE, log.next()).await.unwrap().unwrap().unwrap());
    }
    assert_eq!(lines.pop().unwrap(), "three");
    lines.sort();
    assert_eq!((&*lines[0], &*lines[1], lines[2].len()), ("one", "two", 40_000));
    assert_eq!(docker.tail(&id, 1).await.unwrap(), ["three"]);
    let all: Vec<_> = docker.log(&id, None, FollowMode::Off).map(Result::unwrap).collect().await;
    assert_eq!(all.len(), 4);
    let since = docker.log(&id, Some(Timestamp::now()), FollowMode::Off).count().await;
    assert_eq!(since, 0);
    let since: Vec<_> = docker.log(&id, Some(before), FollowMode::Off).map(Result::unwrap).collect().await;
    assert_eq!(since, all);

    let executed = docker.exec(&id, &["sh", "-c", "printf out; echo err >&2; exit 7"]).await.unwrap();
    assert_eq!(executed, ExecOutput { code: 7, stdout: "out".to_owned() });
    let refused = docker.exec("lbctl-nothing", &["true"]).await.unwrap_err().to_string();
    assert!(refused.contains("refuses: no such container: lbctl-nothing"), "{refused}");
}

#[tokio::test]
async fn containers_are_followed_by_events() {
    let Some(project) = Project::new() else { return };
    project.server("web", 1, &[]);
    let docker_ = Docker::connect().await.unwrap();
    let containers = Containers::watch(docker_.clone(), scope(&project), Naming::Compose).await.unwrap();
    let mut replicas = containers.replicas();
    let states = |now: &lbctl::model::Replicas| {
        now.iter().map(|replica| (replica.name.to_string(), replica.state)).collect::<Vec<_>>()
    };
    let named =
        |states: &[(&str, State)]| states.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect::<Vec<_>>();
    assert_eq!(states(&replicas.borrow_and_update()), named(&[("web-1", State::Ready)]));

    let health = ["--health-cmd", "test -e /tmp/well", "--health-interval", "100ms", "--health-retries", "1"];
    let second = project.server("web", 2, &health);
    let of_second = |state| move |now: &lbctl::model::Replicas| now.iter().any(|r| r.number == 2 && r.state == state);
    until("a health check that fails", &mut replicas, of_second(State::Unhealthy)).await;
    docker(&["exec", &second, "touch", "/tmp/well"]).ok();
    until("a health check that passes", &mut replicas, of_second(State::Ready)).await;
    // checks go on, and change nothing
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!replicas.has_changed().unwrap());
    docker(&["pause", &second]).ok();
    until("a pause", &mut replicas, of_second(State::Ended)).await;
    docker(&["unpause", &second]).ok();
    until("its end", &mut replicas, of_second(State::Ready)).await;

    containers.drain(&["web-2".to_owned()]);
    assert!(of_second(State::Draining)(&replicas.borrow_and_update()));
    docker(&["stop", &second]).ok();
    assert!(of_second(State::Draining)(&replicas.borrow_and_update()), "until it is gone");
    docker_.remove(&[second]).await.unwrap();
    until("its end", &mut replicas, |now| now.len() == 1).await;
    // a later one of this name is another
    project.server("web", 2, &[]);
    until("another second", &mut replicas, of_second(State::Ready)).await;
}

#[tokio::test]
async fn how_a_container_ended_is_remembered_after_its_restart() {
    let Some(project) = Project::new() else { return };
    let docker = Docker::connect().await.unwrap();
    let containers = Containers::watch(docker, scope(&project), Naming::Docker).await.unwrap();
    let script = "test -e /tmp/again && exec sleep 1000; touch /tmp/again; sleep 0.5; exit 9";
    project.run("web", 1, &["--restart", "on-failure", "--stop-signal", "KILL"], &["sh", "-c", script]);
    let mut seen = containers.containers();
    let again = until("a restart", &mut seen, |now| {
        now.iter().any(|container| container.restarts == 1 && container.state == State::Ready)
    });
    assert_eq!(again.await[0].exit.as_deref(), Some("exit code 9"));
    let replicas = containers.replicas().borrow().clone();
    assert_eq!(*replicas[0].service, format!("{}/web", project.name));
    assert_eq!(*replicas[0].name, format!("{}-web-1", project.name));
}

#[tokio::test]
async fn containers_end_at_once_and_with_their_own_signal() {
    let Some(project) = Project::new() else { return };
    let script = "trap 'echo bye; sleep 1; exit 0' USR1; echo ready; while :; do sleep 0.05; done";
    let options = ["--stop-signal", "USR1", "--stop-timeout", "30", "--volume", "/anonymous"];
    let mut ids: Vec<_> = (1..=3).map(|number| project.run("web", number, &options, &["sh", "-c", script])).collect();
    let docker_ = Docker::connect().await.unwrap();
    let mut logs: Vec<_> = ids.iter().map(|id| docker_.log(id, None, FollowMode::On)).collect();
    for log in &mut logs {
        assert_eq!(tokio::time::timeout(DEADLINE, log.next()).await.unwrap().unwrap().unwrap(), "ready");
    }
    let mounted = docker(&["inspect", "--format", "{{(index .Mounts 0).Name}}", &ids[0]]);
    let volume = mounted.ok().stdout.trim();
    ids.push("lbctl-nothing".to_owned());
    let start = Instant::now();
    docker_.remove(&ids).await.unwrap();
    // three times a second one after the other, ten without the signal
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    for log in &mut logs {
        assert_eq!(log.next().await.unwrap().unwrap(), "bye");
    }
    assert_eq!(project.ids("container"), [""; 0]);
    assert_ne!(docker(&["volume", "inspect", volume]).code, Some(0), "its anonymous volume goes with it");
    docker_.remove(&ids).await.unwrap();
}

#[tokio::test]
async fn a_project_is_removed_with_what_still_comes() {
    let Some(project) = Project::new() else { return };
    let label = format!("com.docker.compose.project={}", project.name);
    let network = format!("{}_default", project.name);
    docker(&["network", "create", "--label", &label, &network]).ok();
    let option = format!("--network={network}");
    project.server("web", 1, &[&option]);
    project.create("web", 2, &["true"]);
    let engine = Docker::connect().await.unwrap();
    let (removed, ()) = tokio::join!(engine.remove_project(&project.name), async {
        tokio::task::spawn_blocking({
            let (name, image) = (project.name.clone(), project.image().to_owned());
            move || _ = docker(&["create", "--label", &format!("com.docker.compose.project={name}"), &image, "true"])
        })
        .await
        .unwrap();
    });
    removed.unwrap();
    assert_eq!((project.ids("container"), project.ids("network")), (vec![], vec![]));
    engine.remove_project(&project.name).await.unwrap();
}
