//! The programs in Rust of `cargo xtask bench mapping`: `data FILE RECORDS` writes the records, one JSON object a
//! line; `engine FILE PASSES OUT` and `typed FILE PASSES OUT` map all of them so many times and write what one pass
//! gives; `check` times the checker on a mapping of the size of a real engagement. Each prints one JSON object.
#![allow(clippy::print_stdout, reason = "its output is what the benchmark reads")]

mod data;
mod engine;
mod large;
mod typed;

use std::fs;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["data", file, records] => Ok(fs::write(file, data::records(records.parse()?))?),
        ["engine", file, passes, out] => measure(file, passes.parse()?, out, &mut engine::Program::new()?),
        ["typed", file, passes, out] => measure(file, passes.parse()?, out, &mut typed::Program),
        ["check"] => {
            println!("{}", large::check()?);
            Ok(())
        }
        // What `cargo bench` and `cargo test --benches` start must end by itself.
        _ => Ok(()),
    }
}

/// One way of mapping a record: a line of JSON in, a line of JSON out.
trait Program {
    fn map(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), Failure>;
}

fn measure(file: &str, passes: usize, out: &str, program: &mut impl Program) -> Result<(), Failure> {
    let text = fs::read_to_string(file)?;
    let mut written = Vec::with_capacity(text.len() * 2);
    let mut records = 0;
    let start = cpu_nanoseconds();
    for _ in 0..passes {
        written.clear();
        for line in text.lines() {
            program.map(line, &mut written)?;
            written.push(b'\n');
            records += 1;
        }
    }
    let used = cpu_nanoseconds() - start;
    fs::write(out, &written)?;
    println!("{}", serde_json::json!({ "records": records, "nanoseconds": used }));
    Ok(())
}

/// CPU time of this thread by the kernel's account, in nanoseconds; 0 where the system has no `/proc`.
fn cpu_nanoseconds() -> u64 {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    account.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0)
}
