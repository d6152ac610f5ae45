//! A child process that does not outlive the test.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{Child, Command},
    sync::{OnceLock, mpsc},
    thread,
};

/// A command that also dies when this process is killed, or ends without dropping it as statics do. Without
/// `setpriv` (util-linux) it is an ordinary command.
pub fn bound(program: impl AsRef<OsStr>) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Kills and reaps its child when dropped.
#[derive(Debug)]
pub struct Owned(Child);

impl Owned {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Starts a command made by [`bound`].
    pub fn start_bound(command: Command) -> io::Result<Self> {
        spawn_from_lasting_thread(command).map(Self)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> io::Result<Option<std::process::ExitStatus>> {
        self.0.try_wait()
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Linux sends the death signal when the *thread* that started the child ends, and tests end their threads.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in inbox {
                // Nobody waits for the reply only if the asking thread has died.
                let _ = reply.send(command.spawn());
            }
        });
        orders
    });
    let (reply, answer) = mpsc::channel();
    let gone = || io::Error::other("the thread that starts processes is gone");
    spawner.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_child_outlives_the_thread_that_asked_for_it_and_dies_when_dropped() {
        let start = || {
            let mut command = bound("sleep");
            command.arg("60");
            Owned::start_bound(command).unwrap()
        };
        let mut child = thread::spawn(start).join().unwrap();
        assert_eq!(child.ended().unwrap(), None);
        let proc = format!("/proc/{}", child.id());
        drop(child);
        assert!(!Path::new(&proc).exists());
    }
}
