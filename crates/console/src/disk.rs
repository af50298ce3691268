//! The little virtual disk: paths to bytes, shared by all terminals.

use simulation::sorted::{SortedMap, SortedSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The home directory of every terminal.
pub const HOME: &str = "/home/kafka";

/// Files and directories by absolute path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    files: SortedMap<String, Arc<Vec<u8>>>,
    directories: SortedSet<String>,
}

/// Why a path could not be used; `Display` is the C library's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskError {
    NotFound,
    IsADirectory,
    NotADirectory,
    Exists,
    NotEmpty,
}

impl std::fmt::Display for DiskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No such file or directory",
            Self::IsADirectory => "Is a directory",
            Self::NotADirectory => "Not a directory",
            Self::Exists => "File exists",
            Self::NotEmpty => "Directory not empty",
        })
    }
}

impl Default for Disk {
    fn default() -> Self {
        let directories = [
            "/",
            "/etc",
            "/home",
            HOME,
            "/opt",
            "/opt/kafka",
            "/opt/kafka/bin",
            "/opt/kafka/config",
            "/tmp",
            "/dev",
        ];
        Self { files: SortedMap::new(), directories: directories.map(String::from).into() }
    }
}

/// `path` seen from the directory `cwd`, without `.`, `..` and double slashes.
pub fn absolute(cwd: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

impl Disk {
    /// All bytes of a file.
    pub fn read(&self, path: &str) -> Result<&[u8], DiskError> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes),
            None => Err(self.why_not_a_file(path)),
        }
    }

    /// Replaces or creates a file.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.writable(path)?;
        self.files.insert(path.to_owned(), Arc::new(bytes.to_vec()));
        Ok(())
    }

    /// Adds to the end of a file, creating it if missing.
    pub fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.writable(path)?;
        Arc::make_mut(self.files.entry(path.to_owned()).or_default()).extend_from_slice(bytes);
        Ok(())
    }

    fn writable(&self, path: &str) -> Result<(), DiskError> {
        if self.directories.contains(path) {
            return Err(DiskError::IsADirectory);
        }
        match self.directories.contains(parent(path)) {
            true => Ok(()),
            false => Err(self.why_not_a_file(parent(path))),
        }
    }

    fn why_not_a_file(&self, path: &str) -> DiskError {
        if self.directories.contains(path) {
            return DiskError::IsADirectory;
        }
        let mut up = parent(path);
        while up != "/" {
            if self.files.contains_key(up) {
                return DiskError::NotADirectory;
            }
            up = parent(up);
        }
        if self.files.contains_key(path) { DiskError::NotADirectory } else { DiskError::NotFound }
    }

    pub fn is_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub fn is_directory(&self, path: &str) -> bool {
        self.directories.contains(path)
    }

    pub fn exists(&self, path: &str) -> bool {
        self.is_file(path) || self.is_directory(path)
    }

    pub fn make_directory(&mut self, path: &str) -> Result<(), DiskError> {
        if self.exists(path) {
            return Err(DiskError::Exists);
        }
        self.writable(path)?;
        self.directories.insert(path.to_owned());
        Ok(())
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        match self.files.remove(path) {
            Some(_) => Ok(()),
            None => Err(self.why_not_a_file(path)),
        }
    }

    /// Removes an empty directory.
    pub fn remove_directory(&mut self, path: &str) -> Result<(), DiskError> {
        if !self.directories.contains(path) {
            return Err(if self.is_file(path) {
                DiskError::NotADirectory
            } else {
                DiskError::NotFound
            });
        }
        if path == "/" || !self.list(path).is_empty() {
            return Err(DiskError::NotEmpty);
        }
        self.directories.remove(path);
        Ok(())
    }

    /// Removes a file, or a directory with all that is in it.
    pub fn remove_all(&mut self, path: &str) {
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.files.retain(|name, _| name != path && !name.starts_with(&inside));
        self.directories.retain(|name| name == "/" || (name != path && !name.starts_with(&inside)));
    }

    /// Names in a directory, sorted bytewise.
    pub fn list(&self, path: &str) -> Vec<String> {
        let inside = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut names: Vec<String> = self
            .files
            .keys()
            .chain(&self.directories)
            .filter_map(|name| name.strip_prefix(&inside))
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(String::from)
            .collect();
        simulation::sorted::sort(&mut names);
        names
    }
}
