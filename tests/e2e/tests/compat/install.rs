//! The clients, installed below `target/` once for each set of pinned versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The clients' programs and the commands that run them.
pub struct Clients {
    programs: PathBuf,
    installed: PathBuf,
}

/// A command that runs schemathesis with the checks that are made of MEC.
pub fn schemathesis() -> Command {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap();
    let settings = root.join("tests/compat/schemathesis");
    let folder = INSTALLED.get_or_init(|| {
        let folder = root.join("target/compat/schemathesis");
        install_python(&folder, &settings.join("requirements.txt"));
        folder
    });
    let mut command = Command::new(folder.join("bin/schemathesis"));
    command
        .arg("--config-file")
        .arg(settings.join("schemathesis.toml"));
    command
}

/// Whose client runs a program.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    JavaScript,
    Python,
}

impl Clients {
    /// Those of this process, installed when they are first asked for.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Clients> = OnceLock::new();
        SHARED.get_or_init(Self::install)
    }

    fn install() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().unwrap();
        let clients = Self {
            programs: root.join("tests/compat"),
            installed: root.join("target/compat"),
        };
        clients.javascript();
        clients.python();
        clients
    }

    /// A command that runs the issuer of tokens.
    pub fn issuer(&self) -> Command {
        let mut command = Command::new("node");
        command
            .arg(self.programs.join("js/issuer.mjs"))
            .env("MEC_COMPAT_MODULES", self.installed.join("js"));
        command
    }

    /// A command that runs programs, which are told by name.
    pub fn runner(&self, language: Language) -> Command {
        let (interpreter, file) = match language {
            Language::JavaScript => (PathBuf::from("node"), "js/run.mjs"),
            Language::Python => (self.python_program(), "python/run.py"),
        };
        let mut command = Command::new(interpreter);
        command
            .arg(self.programs.join(file))
            .env("MEC_COMPAT_MODULES", self.installed.join("js"))
            // The sources stay free of compiled files.
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn javascript(&self) {
        need("node", &["--version"], "nodejs");
        need("npm", &["--version"], "npm");
        let folder = self.installed.join("js");
        let lock = read(&self.programs.join("js/package-lock.json"));
        if is_installed(&folder, &lock) {
            return;
        }
        empty(&folder);
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(self.programs.join("js").join(name), folder.join(name)).unwrap();
        }
        succeed(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(&folder),
        );
        note_installed(&folder, &lock);
    }

    fn python(&self) {
        let requirements = self.programs.join("python/requirements.txt");
        install_python(&self.installed.join("python"), &requirements);
    }

    fn python_program(&self) -> PathBuf {
        self.installed.join("python/bin/python")
    }
}

/// Installs the packages of a file into an environment of their own.
fn install_python(folder: &Path, requirements: &Path) {
    need("python3", &["--version"], "python3");
    need("python3", &["-c", "import ensurepip, venv"], "python3-venv");
    let pinned = read(requirements);
    if is_installed(folder, &pinned) {
        return;
    }
    empty(folder);
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder));
    succeed(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(requirements),
    );
    note_installed(folder, &pinned);
}

/// Fails with what to install where a program does not run.
fn need(program: &str, arguments: &[&str], package: &str) {
    let mut command = Command::new(program);
    let ran = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    assert!(
        ran.status().is_ok_and(|status| status.success()),
        "`{program} {}` does not run; install the package {package}, as in `apt-get install {package}`",
        arguments.join(" ")
    );
}

/// The file that tells what a folder was installed from, written last.
fn note(folder: &Path) -> PathBuf {
    folder.join("installed-from")
}

fn is_installed(folder: &Path, pinned: &str) -> bool {
    std::fs::read_to_string(note(folder)).is_ok_and(|noted| noted == pinned)
}

fn note_installed(folder: &Path, pinned: &str) {
    std::fs::write(note(folder), pinned).unwrap();
}

/// What another set of versions, or a broken run, has left makes way.
fn empty(folder: &Path) {
    if folder.exists() {
        std::fs::remove_dir_all(folder).unwrap();
    }
    std::fs::create_dir_all(folder).unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
