//! Many cold connections: everybody gets through who can, nobody is given up for being queued, and nobody who is not there holds the others up.

use super::crowd::{Gate, Host, MS, SECOND, START, WAYS, World, run, well};
use super::random::Random;
use clsh::engine::Request;
use clsh::limits::{CONNECT_GRACE, DROPS_ALONE_MAX};
use clsh::outcome::Outcome;

#[test]
fn queued_handshakes_are_no_silence() {
    for (power, cores) in [(200, 2), (100, 1), (50, 1)] {
        let mut world = World::new(well(100));
        (world.power, world.cores) = (power, cores);
        let run = run(&world);
        run.all_get_through();
        let work = (START + world.handshake) * 100 * 100 / power;
        assert!(run.now < work * 11 / 10 + SECOND, "{:?}, {work:?}", run.now);
    }
}

#[test]
fn a_machine_that_is_taken_by_others_is_no_silence() {
    // With 400 others a handshake takes much longer than -t; without sight it must be a little less.
    for (tells_work, others) in [(true, 400), (false, 4)] {
        let mut world = World::new(well(60));
        (world.tells_work, world.others, world.connect) = (tells_work, others, SECOND * 2);
        run(&world).all_get_through();
    }
}

#[test]
fn beside_others_the_window_opens_for_a_larger_share() {
    let mut world = World::new(well(200));
    world.others = 30;
    let run = run(&world);
    run.all_get_through();
    assert!(run.most_at_once >= 64, "{}", run.most_at_once);
}

#[test]
fn on_a_machine_of_its_own_it_stays_narrow() {
    let run = run(&World::new(well(200)));
    run.all_get_through();
    assert!(run.most_at_once <= 160, "{}", run.most_at_once);
}

#[test]
fn far_hosts_are_as_fast_as_all_at_once() {
    let mut world = World::new(vec![Host::Well { way: MS * 300 }; 64]);
    world.handshake = MS * 5;
    let run = run(&world);
    run.all_get_through();
    // WAYS and one for the connection; what the start takes of two processors; and a moment for each look.
    assert!(run.now < MS * 300 * (WAYS + 1) + MS * 1200, "{:?}", run.now);
}

#[test]
fn one_that_is_not_there_costs_the_others_nothing_and_is_named_in_time() {
    let alone = run(&World::new(well(59))).now;
    for dead in [Host::Dead, Host::Hangs] {
        let mut hosts = well(60);
        hosts[0] = dead;
        let run = run(&World::new(hosts));
        let others = run.lives[1..]
            .iter()
            .map(|life| life.ended.expect("an end"));
        let last = others.max().expect("others");
        assert!(last < alone + MS * 300, "{last:?}, {alone:?}");
        let named = run.lives[0].ended.expect("an end") - run.lives[0].started;
        let due = SECOND * 10 + CONNECT_GRACE;
        assert!(named >= due && named < due + SECOND, "{named:?}");
        assert_eq!(run.lives[0].starts, 1);
        assert_eq!(run.outcomes()[0], Outcome::Failed);
        assert!(run.said().contains("n0: no answer within 10 s"));
    }
}

#[test]
fn half_of_all_may_be_dead() {
    let mut hosts = well(200);
    hosts
        .iter_mut()
        .step_by(2)
        .for_each(|host| *host = Host::Dead);
    for (tells_work, slack) in [(true, 4), (false, 25)] {
        let mut world = World::new(hosts.clone());
        (world.handshake, world.tells_work) = (MS * 17, tells_work);
        let run = run(&world);
        let last = SECOND * 10 + CONNECT_GRACE + (START * 200 + MS * 17 * 100) / 2;
        assert!(run.now < last + SECOND * slack, "{:?}, {last:?}", run.now);
        let outcomes = run.outcomes();
        let through = outcomes.iter().filter(|&&one| one == Outcome::Exited(0));
        assert_eq!(through.count(), 100);
    }
}

#[test]
fn all_may_be_dead() {
    for tells_work in [true, false] {
        let mut world = World::new(vec![Host::Dead; 200]);
        (world.tells_work, world.connect) = (tells_work, SECOND * 3);
        let run = run(&world);
        assert_eq!(run.outcomes(), vec![Outcome::Failed; 200]);
    }
}

#[test]
fn who_is_dropped_at_a_gate_gets_through_later() {
    for seed in 0..10 {
        for (begin, rate, full) in [(10, 30, 100), (10, 100, 10), (3, 30, 10)] {
            let mut world = World::new(well(60));
            world.gate = Some(Gate { begin, rate, full });
            (world.seed, world.cores, world.power) = (seed, 8, 800);
            let run = run(&world);
            run.all_get_through();
            // Nothing is said of what healed.
            assert_eq!(run.said(), "");
            let starts: u32 = run.lives.iter().map(|life| life.starts).sum();
            assert!(starts < 60 * 3, "{starts} starts at {begin}:{rate}:{full}");
        }
    }
}

#[test]
fn a_host_that_drops_everybody_is_named_with_the_words_of_ssh_after_some_tries() {
    let alone = run(&World::new(vec![Host::Closed]));
    assert_eq!(alone.outcomes(), [Outcome::Failed]);
    assert_eq!(alone.lives[0].starts, 1 + DROPS_ALONE_MAX);
    assert!(alone.now < SECOND * 4, "{:?}", alone.now);
    let words = "n0: kex_exchange_identification: Connection closed by remote host\n";
    assert_eq!(
        alone.said(),
        format!("{words}ERROR: n0 connection failed\n")
    );
    let mut hosts = well(60);
    hosts[7] = Host::Closed;
    let run = run(&World::new(hosts));
    assert_eq!(run.outcomes()[7], Outcome::Failed);
    assert_eq!(run.said().matches("kex_exchange").count(), 1);
    assert!(run.lives[7].starts > 2, "others get through meanwhile");
}

#[test]
fn an_end_does_not_wait_for_tries() {
    let mut world = World::new(vec![Host::Closed; 40]);
    world.request = Some((MS * 400, Request::End(15)));
    let run = run(&world);
    let outcomes = run.outcomes();
    let good =
        |one: &Outcome| matches!(one, Outcome::Failed | Outcome::Ended | Outcome::NotStarted);
    assert!(outcomes.iter().all(good), "{outcomes:?}");
    assert!(
        outcomes.contains(&Outcome::Failed),
        "started, and not reached"
    );
    assert!(run.now < SECOND, "{:?}", run.now);
}

#[test]
fn nothing_wakes_clsh_when_nobody_waits_for_room() {
    let run = run(&World::new(vec![Host::Dead; 6]));
    assert!(run.woken < 40, "{} times", run.woken);
}

#[test]
fn any_crowd_gets_through() {
    super::try_seeds("any_crowd", 40, |seed, _| {
        let mut r = Random::new(seed);
        let count = r.between(1, 150);
        let hosts = (0..count).map(|_| match r.below(12) {
            0 => Host::Dead,
            1 => Host::Hangs,
            2 => Host::Closed,
            3..=5 => Host::Well {
                way: r.time(MS * 300),
            },
            _ => Host::Well { way: MS },
        });
        let mut world = World::new(hosts.collect());
        world.seed = seed;
        world.fanout = r.between(1, 200);
        world.cores = r.between(1, 8);
        world.power = *r.pick(&[25, 50, 100, 200, 800]);
        world.others = *r.pick(&[0, 0, 3, 25]);
        world.handshake = MS * *r.pick(&[5, 17, 128]);
        world.connect = SECOND * *r.pick(&[2, 10]);
        let begin = r.between(4, 20);
        let gate = Gate {
            begin,
            rate: r.between(1, 100),
            full: begin + r.between(1, 100),
        };
        world.gate = r.percent(40).then_some(gate);
        // Where nothing can be seen, the first handshakes must not take as long as -t.
        let slow = world.others > 0 || world.power < 200 || world.connect < SECOND * 10;
        world.tells_work = slow || r.percent(50);
        let run = run(&world);
        for (host, outcome) in world.hosts.iter().zip(run.outcomes()) {
            let expected = match host {
                Host::Well { .. } => Outcome::Exited(0),
                Host::Dead | Host::Hangs | Host::Closed => Outcome::Failed,
            };
            let said = run.said();
            assert_eq!(outcome, expected, "{host:?} in {world:?}: {said}");
        }
        (run.woken, 0)
    });
}
