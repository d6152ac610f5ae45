//! Documents on disk: which files are meant, and their bytes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// The files that `paths` mean: files as named, folders with everything in them, in order. Hidden files are left out.
pub(crate) fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    fn add(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
        if !path.is_dir() {
            found.push(path.to_owned());
            return Ok(());
        }
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                add(&entry.path(), found)?;
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    for path in paths {
        fs::metadata(path).with_context(|| path.display().to_string())?;
        add(path, &mut found).with_context(|| path.display().to_string())?;
    }
    Ok(found)
}

/// The bytes of a file that has at most `limit` of them; a larger one is not read.
pub(crate) fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let size = fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > limit {
        anyhow::bail!("{}: {size} bytes are more than the limit of {limit}", path.display());
    }
    fs::read(path).with_context(|| path.display().to_string())
}
