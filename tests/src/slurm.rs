//! A cluster of one node in this machine, of Slurm's own programs.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::random::Random;
use crate::skip;

/// Longer than it takes to start, on a slow machine too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks at something that takes its time.
const LOOK: Duration = Duration::from_millis(100);

/// A cluster that runs until it is dropped.
pub struct Cluster {
    daemons: Vec<Child>,
    place: Place,
}

impl Cluster {
    /// Starts it. Where Slurm is not installed the test is skipped.
    pub fn start() -> Option<Self> {
        let is_there = |program: &str, version: &str| Command::new(program).arg(version).output().is_ok();
        if !(is_there("munged", "-V") && ["slurmctld", "slurmd", "sbatch"].iter().all(|name| is_there(name, "-V"))) {
            skip("no Slurm: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge");
            return None;
        }
        let mut cluster = Self { daemons: Vec::new(), place: Place::default() };
        cluster.start_munge();
        let node = output_of(Command::new("uname").arg("-n"));
        let node = node.split('.').next().unwrap().to_owned();
        cluster.place.write("slurm.conf", cluster.settings(&node));
        fs::create_dir(cluster.place.path("state")).unwrap();
        fs::create_dir(cluster.place.path("spool")).unwrap();
        cluster.daemon("slurmctld", &["-D"]);
        cluster.daemon("slurmd", &["-D", "-N", &node]);
        cluster.wait("an idle node", |cluster| {
            let mut ask = Command::new("sinfo");
            let answer = ask.args(["-h", "-o", "%T"]).env("SLURM_CONF", cluster.settings_file()).output().unwrap();
            String::from_utf8_lossy(&answer.stdout).trim() == "idle"
        });
        Some(cluster)
    }

    /// What `SLURM_CONF` must name for Slurm's programs to find this cluster.
    pub fn settings_file(&self) -> PathBuf {
        self.place.path("slurm.conf")
    }

    /// The daemon by which the parts of Slurm know each other, with a key of its own.
    fn start_munge(&mut self) {
        let mut random = Random(11);
        let key: Vec<u8> = std::iter::repeat_with(|| random.byte()).take(64).collect();
        let key = self.place.write("munge.key", key);
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let option = |name: &str, file: &str| format!("--{name}={}", self.place.path(file).display());
        let mut args = vec!["--foreground".to_owned(), "--force".to_owned(), option("key-file", "munge.key")];
        args.extend(["socket", "pid-file", "log-file", "seed-file"].map(|name| option(name, &format!("munge.{name}"))));
        self.daemon("munged", &args.iter().map(String::as_str).collect::<Vec<_>>());
        self.wait("munge", |cluster| cluster.place.path("munge.socket").exists());
    }

    fn settings(&self, node: &str) -> String {
        let here = self.place.path("");
        let here = here.display().to_string();
        let here = here.trim_end_matches('/');
        let user = output_of(Command::new("id").arg("-un"));
        // Free now; nobody else here asks for them in this moment.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        format!(
            "ClusterName=mien\nSlurmctldHost={node}(127.0.0.1)\nSlurmctldPort={}\nSlurmdPort={}\n\
             AuthType=auth/munge\nAuthInfo=socket={here}/munge.socket\nCredType=cred/munge\n\
             SlurmUser={user}\nSlurmdUser={user}\nStateSaveLocation={here}/state\nSlurmdSpoolDir={here}/spool\n\
             SlurmctldPidFile={here}/slurmctld.pid\nSlurmdPidFile={here}/slurmd.pid\n\
             MpiDefault=none\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             NodeName={node} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            ports[0], ports[1]
        )
    }

    fn daemon(&mut self, program: &str, args: &[&str]) {
        let log = fs::File::create(self.place.path(&format!("{program}.txt"))).unwrap();
        let mut command = Command::new(program);
        command.args(args).env("SLURM_CONF", self.settings_file()).stdin(Stdio::null());
        self.daemons.push(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Waits until that holds, and panics with what the daemons said when it never does.
    fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            if began.elapsed() > PATIENCE {
                let said = ["munged", "slurmctld", "slurmd"]
                    .map(|name| fs::read_to_string(self.place.path(&format!("{name}.txt"))).unwrap_or_default());
                panic!("waited in vain for {what}\n{}", said.join("\n"));
            }
            thread::sleep(LOOK);
        }
    }
}

fn output_of(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}
