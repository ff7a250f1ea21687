//! The disk: how fast it makes a write durable, and how much room there is.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use super::finding::Finding;

/// How many writes are measured.
const WRITES: usize = 100;
/// How many bytes each has: a page.
const BYTES: usize = 4096;
/// Above this, single publishers feel the disk.
const SLOW: Duration = Duration::from_millis(10);
/// Below this much room, it is time to do something.
const LITTLE_BYTES: u64 = 1 << 30;
/// Below this much room, nothing more should begin.
const NOTHING_BYTES: u64 = 100 << 20;

/// Measures the disk that `folder` is on. The folder exists.
pub(super) fn check(folder: &Path) -> [Finding; 2] {
    [latency(measure(folder)), room(folder, fs4::available_space(folder))]
}

/// How long each of some durable writes took, the fastest first.
fn measure(folder: &Path) -> io::Result<Vec<Duration>> {
    let path = folder.join(format!("doctor-{}.tmp", std::process::id()));
    let write = || -> io::Result<Vec<Duration>> {
        let mut file = File::create(&path)?;
        let mut times = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let begun = Instant::now();
            file.write_all(&[0x5a; BYTES])?;
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(times)
    };
    let times = write();
    // The file is there only if it could be made.
    let removed = fs::remove_file(&path);
    let times = times?;
    removed?;
    Ok(times)
}

fn latency(measured: io::Result<Vec<Duration>>) -> Finding {
    const CHECK: &str = "disk latency";
    let times = match measured {
        Ok(times) if !times.is_empty() => times,
        Ok(_) => return Finding::ok(CHECK, "not measured"),
        Err(error) => {
            return Finding::fail(
                CHECK,
                format!("cannot write to the store's folder: {error}"),
                "check its permissions and the disk",
            );
        }
    };
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let detail = format!("a durable write takes {:.2} ms (p50), {:.2} ms (p99)", ms(p50), ms(p99));
    if p50 <= SLOW {
        return Finding::ok(CHECK, detail);
    }
    let remedy = "publish in batches or from several callers at once: they share one write; or see store.synchronous";
    Finding::warn(CHECK, detail, remedy)
}

fn room(folder: &Path, available: io::Result<u64>) -> Finding {
    const CHECK: &str = "disk space";
    let remedy =
        "make room, or keep less: events.retention, keep-completed and keep-failed of the queues";
    match available {
        Err(error) => Finding::warn(
            CHECK,
            format!("cannot be told for {}: {error}", folder.display()),
            "look at it by hand, as with `df`",
        ),
        Ok(bytes) => {
            let detail = format!("{:.1} GiB are free", bytes as f64 / (1_u64 << 30) as f64);
            match bytes {
                NOTHING_BYTES.. if bytes >= LITTLE_BYTES => Finding::ok(CHECK, detail),
                NOTHING_BYTES.. => Finding::warn(CHECK, detail, remedy),
                _ => Finding::fail(CHECK, detail, remedy),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn findings_follow_what_was_measured() {
        let folder = Path::new("f");
        for (bytes, level) in [(u64::MAX, Level::Ok), (500 << 20, Level::Warn), (5, Level::Fail)] {
            assert_eq!(room(folder, Ok(bytes)).level, level, "{bytes}");
        }
        assert_eq!(room(folder, Err(io::ErrorKind::Unsupported.into())).level, Level::Warn);
        for (ms, level) in [(1, Level::Ok), (50, Level::Warn)] {
            assert_eq!(latency(Ok(vec![Duration::from_millis(ms); 100])).level, level, "{ms}");
        }
        assert_eq!(latency(Err(io::ErrorKind::PermissionDenied.into())).level, Level::Fail);
    }
}
