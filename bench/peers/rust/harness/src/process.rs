//! What the kernel says about this process: cores, memory, page tables, CPU time; and waiting until it is quiet.

use crate::{invalid, Outcome};
use std::{thread, time::Duration, time::Instant};

pub fn usable_cores() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get())
}

/// Of those cores the caller, a thread, stays on the `nth`, if there are so many. Best effort.
pub fn stay_on_core(nth: usize) {
    // SAFETY: the masks are plain bits, of the size that the kernel is told.
    unsafe {
        let size = std::mem::size_of::<libc::cpu_set_t>();
        let (mut mask, mut only): (libc::cpu_set_t, libc::cpu_set_t) = (std::mem::zeroed(), std::mem::zeroed());
        if libc::sched_getaffinity(0, size, &mut mask) != 0 {
            return;
        }
        let usable = (0..libc::CPU_SETSIZE as usize).filter(|core| libc::CPU_ISSET(*core, &mask)).nth(nth);
        if let Some(core) = usable {
            libc::CPU_SET(core, &mut only);
            libc::sched_setaffinity(0, size, &only);
        }
    }
}

/// User and system time of all threads so far.
pub fn cpu_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) }, 0, "the CPU time is not known");
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

pub fn ns_since(begin: Instant) -> u64 {
    begin.elapsed().as_nanos() as u64
}

/// In bytes, from /proc/self/status.
#[derive(Default)]
pub struct Memory {
    pub resident: u64,
    pub peak: u64,
    pub page_tables: u64,
}

pub fn memory() -> Outcome<Memory> {
    let mut found = Memory::default();
    for line in std::fs::read_to_string("/proc/self/status").unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        let field = match words.next() {
            Some("VmRSS:") => &mut found.resident,
            Some("VmHWM:") => &mut found.peak,
            Some("VmPTE:") => &mut found.page_tables,
            _ => continue,
        };
        *field = words.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024;
    }
    if found.resident == 0 {
        return invalid("/proc/self/status does not say VmRSS");
    }
    Ok(found)
}

/// Returns once the process has used less than 10 ms of CPU in 200 ms: whatever was started is asleep by now.
pub fn settle() -> Outcome<()> {
    for _ in 0..50 {
        let before = cpu_ns();
        thread::sleep(Duration::from_millis(200));
        if cpu_ns() - before < 10_000_000 {
            return Ok(());
        }
    }
    invalid("the process did not come to rest within 10 s")
}

/// All threads that are started from now on share this thread's core.
pub fn stay_on_one_core() -> Outcome<()> {
    // SAFETY: the set is a plain bit mask that is zeroed first, and the core is within it.
    let done = unsafe {
        let here = libc::sched_getcpu();
        let mut mask: libc::cpu_set_t = std::mem::zeroed();
        if here >= 0 {
            libc::CPU_SET(here as usize, &mut mask);
        }
        here >= 0 && libc::sched_setaffinity(0, std::mem::size_of_val(&mask), &mask) == 0
    };
    if done {
        Ok(())
    } else {
        invalid("the threads cannot be put on one core")
    }
}
