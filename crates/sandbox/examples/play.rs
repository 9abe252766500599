#[tokio::main]
async fn main() {
    let mut options = sandbox::Options::default();
    options.control_listen = "127.0.0.1:41901".parse().unwrap();
    options.graph_listen = "127.0.0.1:41902".parse().unwrap();
    let handle = sandbox::start(options).await.unwrap();
    println!("{} {}", handle.control_url(), handle.graph_url());
    std::future::pending::<()>().await
}
