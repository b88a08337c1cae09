//! Compose as a program, whichever this machine has.

use std::{collections::BTreeMap, fs, net::TcpListener, time::Duration};

use lbctl::engine::{Compose, ComposeStep, Docker, RecreatePolicy, Scope, Tool, ToolError, ToolFailure};
use tempfile::TempDir;

use crate::support::{docker::Project, missing};

/// A project with this compose file; its services' image is `$IMAGE`.
async fn compose(project: &Project, file: &str) -> Option<(Compose, TempDir)> {
    let tool = match Tool::detect().await {
        Ok(tool) => tool,
        Err(error) => {
            missing(&error.to_string());
            return None;
        }
    };
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("compose.yml"), file).unwrap();
    let files = vec![directory.path().join("compose.yml")];
    let variables = BTreeMap::from([("IMAGE".to_owned(), project.image().to_owned())]);
    Some((Compose::new(tool, &project.name, files, None, variables), directory))
}

const SLEEPERS: &str = "\
services:
  web:
    image: ${IMAGE}
    command: [sleep, '1000']
    stop_signal: SIGKILL
  api:
    image: ${IMAGE}
    command: [sleep, '1000']
    stop_signal: SIGKILL
";

#[track_caller]
fn failed(error: ToolError) -> (ComposeStep, String, ToolFailure) {
    match error {
        ToolError::Failed { step, message, log, cause, .. } => {
            assert!(!message.contains('\n') && !log.is_empty(), "{message}");
            (step, message, cause)
        }
        ToolError::Missing => panic!("{error}"),
    }
}

#[tokio::test]
async fn services_are_started_and_scaled() {
    let Some(project) = Project::new() else { return };
    let Some((compose, _files)) = compose(&project, SLEEPERS).await else { return };
    assert!(compose.config().await.unwrap().contains(&format!("image: {}", project.image())));
    let docker = Docker::connect().await.unwrap();
    let scope = Scope::Project(project.name.clone());
    let running = async || {
        let containers = docker.containers(&scope).await.unwrap();
        containers
            .into_iter()
            .map(|container| (container.replica(lbctl::engine::Naming::Compose).name.to_string(), container.id))
            .collect::<Vec<_>>()
    };
    let names = |containers: &[(String, String)]| containers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let scale = |count: u32| BTreeMap::from([("web".to_owned(), count)]);
    let web = ["web".to_owned()];
    let mut progress = Vec::new();
    compose.up(&web, &scale(3), RecreatePolicy::AsNeeded, |line| progress.push(line.to_owned())).await.unwrap();
    let first = running().await;
    assert_eq!(names(&first), ["web-1", "web-2", "web-3"]);
    assert!(progress.iter().any(|line| line.contains("web")), "{progress:?}");
    assert!(progress.iter().all(|line| !line.contains(char::is_control)), "{progress:?}");
    // the highest number is given again, and those that run stay as they are
    docker.remove(&[first[2].1.clone()]).await.unwrap();
    compose.up(&web, &scale(4), RecreatePolicy::Never, |_| {}).await.unwrap();
    let second = running().await;
    assert_eq!(names(&second), ["web-1", "web-2", "web-3", "web-4"]);
    assert_eq!(second[..2], first[..2]);
    compose.up(&web, &scale(0), RecreatePolicy::Never, |_| {}).await.unwrap();
    assert_eq!(names(&running().await), [""; 0]);
    docker.remove_project(&project.name).await.unwrap();
    assert_eq!(project.ids("network"), [""; 0]);
}

#[tokio::test]
async fn a_mistake_in_the_file_is_told_in_one_line() {
    let Some(project) = Project::new() else { return };
    let Some((compose, _files)) = compose(&project, "services:\n  web:\n    image: x\n    foo: 1\n").await else {
        return;
    };
    let (step, message, cause) = failed(compose.config().await.unwrap_err());
    assert_eq!((step, cause), (ComposeStep::Config, ToolFailure::Other));
    assert!(message.contains("compose.yml") && message.contains("foo"), "{message}");
}

#[tokio::test]
async fn an_image_that_cannot_be_built_says_why() {
    let Some(project) = Project::new() else { return };
    let Some((compose, files)) = compose(&project, "services:\n  web:\n    build: .\n").await else { return };
    // a step that runs and fails would leave its container behind
    let dockerfile = format!("FROM {}\nCOPY there-is-none /\n", project.image());
    fs::write(files.path().join("Dockerfile"), dockerfile).unwrap();
    let mut progress = Vec::new();
    let error = compose.build(|line| progress.push(line.to_owned())).await.unwrap_err();
    let (step, message, cause) = failed(error);
    assert_eq!((step, cause), (ComposeStep::Build, ToolFailure::Other));
    assert!(message.contains("there-is-none"), "{message}");
    assert!(progress.iter().any(|line| line.contains("COPY")), "{progress:?}");
}

#[tokio::test]
async fn a_taken_port_is_told_apart() {
    let Some(project) = Project::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let file = format!("{SLEEPERS}    ports: ['127.0.0.1:{port}:80']\n");
    let Some((compose, _files)) = compose(&project, &file).await else { return };
    let error = compose.up(&[], &BTreeMap::new(), RecreatePolicy::AsNeeded, |_| {}).await.unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("stop what listens there, or choose another port"));
    let (step, message, cause) = failed(error);
    assert_eq!((step, cause), (ComposeStep::Up, ToolFailure::PortTaken));
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_apart() {
    let Some(project) = Project::new() else { return };
    let Some((mut compose, _files)) = compose(&project, SLEEPERS).await else { return };
    compose.variables.insert("DOCKER_HOST".to_owned(), "unix:///nowhere/docker.sock".to_owned());
    let error = compose.up(&[], &BTreeMap::new(), RecreatePolicy::AsNeeded, |_| {}).await.unwrap_err();
    assert_eq!(failed(error).2, ToolFailure::NoEngine);
}

#[tokio::test]
async fn what_runs_can_be_cut_off() {
    let Some(project) = Project::new() else { return };
    let Some((compose, files)) = compose(&project, "services:\n  web:\n    build: .\n").await else { return };
    fs::write(files.path().join("Dockerfile"), format!("FROM {}\nRUN echo waits; sleep 20\n", project.image()))
        .unwrap();
    let (heard, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let building = tokio::spawn({
        let compose = compose.clone();
        async move { compose.build(move |line| _ = heard.send(line.to_owned())).await }
    });
    while let Some(line) = lines.recv().await {
        if line == "waits" || line.ends_with(" waits") {
            break;
        }
    }
    tokio::time::timeout(Duration::from_secs(20), compose.cancel()).await.unwrap();
    assert_eq!(failed(building.await.unwrap().unwrap_err()).2, ToolFailure::Interrupted);
}
