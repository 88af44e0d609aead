//! clsh as a stage of a pipeline, on nodes that are processes here. Goal: what README.md and CONTRACT.md promise of standard input, of the
//! shapes of the output, of files and of verdicts holds in the binary itself, bytes and statuses included. Method: real pipes, files and
//! processes, each remote once without and once behind the wrapper where that could matter; conditions are waited for, checksums are
//! compared, and the process table and the temporary directory are looked at afterwards.
#[path = "../local/kit.rs"]
#[allow(dead_code)]
mod kit;
#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod broadcast;
mod difference;
mod failing;
mod files;
mod gather;
mod gear;
mod given;
mod json;
mod live;
mod order;
mod readers;
mod retrying;
mod spool;
mod together;
mod unwritten;
mod verdicts;
