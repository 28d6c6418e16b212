//! A PostgreSQL of its own for a test: Debian's binaries, a folder that goes away, a free loopback port.
#![allow(clippy::unwrap_used, reason = "a test whose server does not start fails by panicking")]

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The password of every test's server.
const PASSWORD: &str = "test-password";

/// A running PostgreSQL. Dropped, it is stopped and its folder removed.
///
/// Every method panics when a program of the server fails: a test cannot go on.
#[derive(Debug)]
pub struct PostgresServer {
    binaries: PathBuf,
    folder: TempDir,
    port: u16,
}

/// How a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As by an administrator.
    Fast,
    /// As when the machine is lost: the next start recovers from the log.
    Immediate,
}

impl PostgresServer {
    /// Starts a server; `None`, said aloud, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    #[allow(clippy::print_stderr, reason = "what is skipped is said aloud, to the person who runs the tests")]
    pub fn start() -> Option<PostgresServer> {
        let Some(binaries) = installed() else {
            eprintln!(
                "SKIPPED: no PostgreSQL is installed. `cargo xtask services` installs Debian's package; elsewhere put \
                 initdb and pg_ctl on the PATH."
            );
            return None;
        };
        let server = PostgresServer::new(binaries);
        let data = server.path("data");
        let mut initdb = server.command("initdb");
        initdb.args(["--auth", "scram-sha-256", "--username", "owner", "--no-sync", "--encoding", "UTF8"]);
        initdb.arg("--pwfile").arg(server.path("password")).arg("--pgdata").arg(&data);
        run(&mut initdb);
        server.up();
        Some(server)
    }

    /// A server that does not run yet, with a folder that it may write.
    fn new(binaries: PathBuf) -> PostgresServer {
        let folder = tempfile::Builder::new().prefix("kit-postgres-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = PostgresServer { binaries, folder, port };
        std::fs::write(server.path("password"), PASSWORD).unwrap();
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(server.folder.path()));
        }
        server
    }

    /// Starts a standby: a copy that follows this server, which must run, and may be read. What this server has
    /// committed when it is stopped by [`Stop::Fast`] the standby has too.
    ///
    /// # Panics
    /// When the copy cannot be made or does not start.
    #[must_use]
    pub fn standby(&self) -> PostgresServer {
        let standby = PostgresServer::new(self.binaries.clone());
        let mut copy = standby.command("pg_basebackup");
        copy.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", "owner"]);
        copy.args(["--write-recovery-conf", "--checkpoint", "fast", "--no-sync", "--pgdata"]);
        run(copy.arg(standby.path("data")).env("PGPASSWORD", PASSWORD));
        standby.up();
        standby
    }

    /// Makes a standby a server of its own, which may be written.
    ///
    /// # Panics
    /// When it is none.
    pub fn promote(&self) {
        let mut promote = self.command("pg_ctl");
        run(promote.args(["promote", "--wait", "--silent", "--pgdata"]).arg(self.path("data")));
    }

    /// Starts the server that was stopped.
    ///
    /// # Panics
    /// When it does not start.
    pub fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=50",
            self.port
        );
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "--silent", "--options", &options]);
        start.arg("--pgdata").arg(self.path("data")).arg("--log").arg(self.path("log"));
        run(&mut start);
    }

    /// Gives the server, which must be stopped, a certificate that signs itself, for its address; the file to trust.
    ///
    /// # Panics
    /// When `openssl` is not there or fails.
    #[must_use]
    pub fn with_certificate(&self) -> PathBuf {
        let (key, certificate) = (self.path("data/server.key"), self.path("data/server.crt"));
        let mut openssl = self.command_at(Path::new("openssl"));
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        run(openssl
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(&certificate)
            .stderr(std::process::Stdio::null()));
        let settings = self.path("data/postgresql.auto.conf");
        let said = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(settings, format!("{said}\nssl = on\n")).unwrap();
        // The server's folder is closed to others.
        let copy = self.path("server.crt");
        std::fs::copy(certificate, &copy).unwrap();
        copy
    }

    /// Stops the server, by the process id that it keeps in its folder.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn down(&self, stop: Stop) {
        let mode = if matches!(stop, Stop::Fast) { "fast" } else { "immediate" };
        let mut command = self.command("pg_ctl");
        run(command
            .args(["stop", "--wait", "--silent", "--mode", mode])
            .arg("--pgdata")
            .arg(self.path("data")));
    }

    /// The address of its database for a user; the one who owns everything is `owner`.
    #[must_use]
    pub fn address(&self, user: &str) -> String {
        format!("host=127.0.0.1 port={} user={user} password={PASSWORD} dbname=postgres", self.port)
    }

    /// The same as [`address`](Self::address), as a URL.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        format!("postgresql://{user}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// The address of this server's database or another's, whichever may be written.
    #[must_use]
    pub fn address_with(&self, other: &PostgresServer, user: &str) -> String {
        let ports = format!("{},{}", self.port, other.port);
        format!(
            "host=127.0.0.1,127.0.0.1 port={ports} user={user} password={PASSWORD} dbname=postgres \
             target_session_attrs=read-write"
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program of the server, as a user that may run it: PostgreSQL refuses to be run by root.
    fn command(&self, program: &str) -> Command {
        self.command_at(&self.binaries.join(program))
    }

    fn command_at(&self, program: &Path) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let mut command = self.command("pg_ctl");
        command
            .args(["stop", "--wait", "--silent", "--mode", "immediate"])
            .arg("--pgdata")
            .arg(self.path("data"));
        let _ = command.output();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The folder of the newest server programs: Debian keeps them apart by version, others on the PATH.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let has = |folder: &Path, program: &str| folder.join(program).is_file();
    folders.into_iter().find(|folder| has(folder, "initdb") && has(folder, "pg_ctl"))
}

fn run(command: &mut Command) {
    // Not through pipes: the server would keep them open.
    let status = command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
}
