//! Who reads what a command prints may have read enough (`hermod number list | head`): then the command is over.

/// As a shell tells of a program that ended so.
const BROKEN_PIPE: i32 = 141;

/// Ends the process without a word once nobody reads on.
pub(super) fn mind() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str().is_some_and(is_broken) {
            std::process::exit(BROKEN_PIPE);
        }
        tell(panic);
    }));
}

/// What `println!` panics with: the standard library has no other way to say it.
fn is_broken(words: &str) -> bool {
    words.starts_with("failed printing to stdout") && words.contains("Broken pipe")
}
