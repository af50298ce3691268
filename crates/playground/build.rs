//! Gives the engine's code a name, `ENGINE_BUILD`: the checksum of all its sources. State that one build wrote as bytes
//! can have another shape in the next.

use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for part in ["simulation", "cluster", "console", "playground"] {
        let folder = format!("../{part}/src");
        println!("cargo::rerun-if-changed={folder}");
        add(Path::new(&folder), &mut hasher)?;
    }
    // Serde and postcard may change their bytes as well.
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    hasher.write(&fs::read("../../Cargo.lock")?);
    println!("cargo::rustc-env=ENGINE_BUILD={:016x}", hasher.finish());
    Ok(())
}

fn add(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            add(&entry.path(), hasher)?;
        } else {
            hasher.write(&fs::read(entry.path())?);
        }
    }
    Ok(())
}
