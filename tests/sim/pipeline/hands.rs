//! What the engine wishes for, carried out on the virtual kernel, with books of all of it.

use super::*;

impl World<'_> {
    pub(super) fn read(&mut self, source: Source, limit: usize) {
        match self.kernel.read(source, limit) {
            Got::Bytes(range) => {
                let dry = range.len() < limit;
                let bytes = self.kernel.pipe(source).written[range].to_vec();
                self.fact(Event::Bytes {
                    source,
                    bytes: &bytes,
                    dry,
                });
            }
            Got::Dry => self.fact(Event::Dry { source }),
            Got::Eof => self.fact(Event::Eof { source }),
        }
    }

    pub(super) fn write(&mut self, sink: Stream) {
        while !self.engine.pending(sink).is_empty() {
            match self.kernel.write(sink, self.engine.pending(sink)) {
                Written::Bytes(bytes) => self.fact(Event::Wrote { sink, bytes }),
                Written::Blocked => return self.fact(Event::Blocked { sink }),
                Written::Closed => return self.fact(Event::SinkClosed { sink }),
                Written::Failed => {
                    let error = "No space left on device";
                    return self.fact(Event::SinkFailed { sink, error });
                }
            }
        }
    }

    pub(super) fn spawn(&mut self, node: u32) {
        let rank = node as usize;
        assert!(self.engine.reason().is_none(), "starts a node while ending");
        let running = |lives: &&Vec<Life>| lives.last().is_some_and(|life| !life.is_over());
        let running = self.lives.iter().filter(running).count();
        let plan = &self.case.scenario.plan;
        assert!(running < plan.window, "more at once than there is room for");
        let tried = self.lives[rank].len();
        assert!(tried <= plan.retries.most as usize, "too many tries");
        if let Some(last) = self.lives[rank].last() {
            assert!(last.is_over(), "tries again too early");
            let pause = plan.retries.delay.mul_f64(0.5) * (1 << (tried - 1));
            let earliest = last.reaped.map(|(at, _)| at + pause);
            assert!(earliest <= Some(self.now), "tries again without a pause");
        }
        let error = "no such luck";
        let actor = match self.case.tries[rank].get(tried) {
            Some(actor) => actor,
            None => &self.case.scenario.actors[rank],
        };
        if let Spawn::Fails { found } = actor.spawn {
            self.refused[rank] = Some(found);
            return self.fact(Event::SpawnFailed { node, found, error });
        }
        if self.delays[rank] > 0 {
            self.delays[rank] -= 1;
            self.delayed = true;
            return self.fact(Event::SpawnDelayed { node, error });
        }
        let pid = self.kernel.spawn(rank, actor);
        self.lives[rank].push(Life {
            pid,
            spawned: self.now,
            delivered: Default::default(),
            looked_at: [0; 2],
            hello: false,
            status: None,
            closed: [false; 2],
            reaped: None,
            ordered: None,
            fed: 0,
            script: None,
            hung_up: false,
            refused: false,
            saw_end: false,
            read: 0,
        });
        self.fact(Event::Spawned { node, pid });
    }

    /// No node is kept from the end of its input, and none is told of an end that is none.
    pub(super) fn hang_up(&mut self, node: u32) {
        let whole = self.stdin_ended && self.engine_has_read();
        let all = self.input_bytes();
        let life = self.life(node);
        let ended = life.ordered.is_some() || life.reaped.is_some() || life.refused;
        // Without input the lifeline is all there is.
        let complete = whole && life.fed == all;
        assert!(
            ended || complete,
            "an end after {} of {all} bytes",
            life.fed
        );
        life.hung_up = true;
        self.kernel.hang_up(node as usize);
    }

    pub(super) fn engine_has_read(&self) -> bool {
        self.case.scenario.plan.input != Stdin::Stream || self.kernel.supplier.is_at_end()
    }

    /// Bytes of the input, as far as it has come.
    pub fn input_bytes(&self) -> usize {
        match self.case.scenario.plan.input {
            Stdin::Nothing => 0,
            Stdin::File(bytes) => bytes as usize,
            Stdin::Stream => self.kernel.supplier.read,
        }
    }

    pub(super) fn feed(&mut self, node: u32) {
        let rank = node as usize;
        if self.life(node).hung_up {
            self.life(node).refused = true;
            return self.fact(Event::InputClosed { node });
        }
        let fed = self.life(node).fed;
        let bytes = match self.engine.supply(node) {
            Supply::Bytes(bytes) => bytes.to_vec(),
            Supply::Filed { offset, bytes } => {
                assert_eq!(offset as usize, fed, "another place than it stands at");
                match self.filed(fed, bytes) {
                    Ok(bytes) => bytes,
                    Err(error) => return self.fact(Event::StdinFailed { error }),
                }
            }
            other => panic!("wants to write {other:?}"),
        };
        let script = self.life(node).script.filter(|&done| done < SCRIPT.len());
        let expected = match script {
            Some(done) => SCRIPT.get(done..done + bytes.len()),
            None => self.case.text.get(fed..fed + bytes.len()),
        };
        assert!(
            expected == Some(&bytes),
            "n{node} gets another's bytes at {fed}"
        );
        let written = match bytes.is_empty() {
            true => Written::Closed,
            false => self.kernel.feed(rank, &bytes),
        };
        let event = match written {
            Written::Bytes(bytes) => {
                match script {
                    Some(done) => self.life(node).script = Some(done + bytes),
                    None => self.life(node).fed += bytes,
                }
                Event::Fed { node, bytes }
            }
            Written::Blocked => {
                self.kernel.watch_input(rank);
                Event::InputBlocked { node }
            }
            Written::Closed | Written::Failed => {
                self.life(node).refused = true;
                Event::InputClosed { node }
            }
        };
        self.fact(event);
    }

    /// A part of the file that nodes are given.
    pub(super) fn filed(&mut self, offset: usize, bytes: usize) -> Result<Vec<u8>, &'static str> {
        if let Stdin::File(size) = self.case.scenario.plan.input {
            assert!(offset + bytes <= size as usize, "reads past the file");
            return match self.case.faults.file_ends {
                Some((end, true)) if offset >= end => Err("Input/output error"),
                Some((end, false)) => {
                    Ok(self.case.text[offset.min(end)..end.min(offset + bytes)].to_vec())
                }
                _ => Ok(self.case.text[offset..offset + bytes].to_vec()),
            };
        }
        let shelf = &self.spools[Spool::Input as usize];
        match shelf.bytes.get(offset..offset + bytes) {
            Some(bytes) => Ok(bytes.to_vec()),
            // There is no file: to the driver that is an end. Whether a node that still reads may meet it is for `judge` to say.
            None if shelf.bytes.is_empty() && !shelf.failed => Ok(Vec::new()),
            None => {
                let there = shelf.bytes.len();
                assert!(
                    shelf.failed,
                    "{bytes} bytes at {offset} of a file of {there}"
                );
                Err("failed to fill whole buffer")
            }
        }
    }

    pub(super) fn read_input(&mut self) {
        let failed = self.spools[Spool::Input as usize].failed;
        let free = self.engine.reason().is_none();
        assert!(free || failed, "reads on while ending");
        // Nobody who reads on is left too far behind.
        let reads = |&node: &usize| {
            let life = self.lives[node].last();
            let free = |life: &Life| {
                life.reaped.is_none() && life.ordered.is_none() && !life.refused && !life.hung_up
            };
            life.is_some_and(free) && self.kernel.drains(node)
        };
        let fed = |node: usize| self.lives[node].last().map(|life| life.fed);
        let slowest = (0..self.lives.len()).filter(reads).filter_map(fed).min();
        let read = self.kernel.supplier.read;
        if let Some(slowest) = slowest {
            assert!(
                read - slowest < INPUT_HELD_MAX as usize,
                "leaves a node behind"
            );
        }
        match self.kernel.supplier.take(READ_BYTES_MAX) {
            Given::Bytes(range) => {
                let case = self.case;
                let bytes = &case.text[range];
                self.fact(Event::StdinBytes { bytes });
            }
            Given::Dry => self.fact(Event::StdinDry),
            Given::End => {
                self.stdin_ended = true;
                self.fact(Event::StdinEnded);
            }
            Given::Failed => self.fact(Event::StdinFailed {
                error: "Input/output error",
            }),
        }
    }

    /// As the driver does: on and on until nothing is left, or the file takes no more.
    pub(super) fn spool(&mut self, spool: Spool) {
        loop {
            let (offset, bytes) = self.engine.unspooled(spool);
            if bytes.is_empty() {
                return;
            }
            let shelf = &mut self.spools[spool as usize];
            assert!(
                shelf.failed || offset as usize == shelf.bytes.len(),
                "leaves a hole"
            );
            let room = self.case.faults.spool_room[spool as usize];
            shelf.failed |= room.is_some_and(|room| shelf.bytes.len() + bytes.len() > room);
            if shelf.failed {
                let error = "No space left on device";
                return self.fact(Event::SpoolFailed { spool, error });
            }
            self.spooled |= spool == Spool::Input;
            shelf.bytes.extend_from_slice(bytes);
            let bytes = bytes.len();
            self.fact(Event::Spooled { spool, bytes });
        }
    }

    pub(super) fn fetch(&mut self, offset: usize, bytes: usize) {
        let spool = Spool::Output;
        let fails = self.case.faults.fetch_fails;
        let shelf = &mut self.spools[spool as usize];
        match shelf.bytes.get(offset..offset + bytes).filter(|_| !fails) {
            Some(bytes) => {
                let bytes = bytes.to_vec();
                self.fact(Event::Fetched { bytes: &bytes });
            }
            None => {
                assert!(shelf.failed || fails, "reads what was never written");
                shelf.failed = true;
                let error = "failed to fill whole buffer";
                self.fact(Event::FetchFailed { error });
            }
        }
    }

    pub(super) fn store(&mut self, source: Source, bytes: usize) {
        let text = self.engine.unstored();
        assert!(
            bytes > 0 && bytes <= text.len(),
            "stores {bytes} of {}",
            text.len()
        );
        let shelf = &mut self.stored[source.node as usize][source.stream as usize];
        let room = match self.case.faults.store_room {
            Some((other, room)) if other == source => room,
            _ => usize::MAX,
        };
        let fails = !shelf.failed && shelf.bytes.len() + bytes > room;
        shelf.failed |= fails;
        if !shelf.failed {
            shelf.bytes.extend_from_slice(&text[..bytes]);
        }
        self.fact(Event::Stored { bytes });
        if fails {
            self.fact(Event::StoreFailed {
                node: source.node,
                file: "DIR/file",
                error: "No space left on device",
            });
        }
    }
}
