//! Where bundles come from: the files compiled into the program, or a folder.

use std::{collections::BTreeMap, fs, io, path::Path};

use clinflow_core::BundleFiles;
use include_dir::{Dir, include_dir};

/// The folder `workflows/` of the repository, as it was when the program was built.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../workflows");

/// Files of a bundle end in this.
const YAML: &str = "yaml";

/// The bundle that comes with the program.
pub fn shipped() -> BundleFiles {
    fn add(folder: &Dir<'_>, files: &mut BTreeMap<String, String>) {
        for file in folder.files() {
            if file.path().extension().is_some_and(|extension| extension == YAML) {
                let text = String::from_utf8_lossy(file.contents()).into_owned();
                files.insert(slashed(file.path()), text);
            }
        }
        for folder in folder.dirs() {
            add(folder, files);
        }
    }
    let mut files = BTreeMap::new();
    add(&SHIPPED, &mut files);
    BundleFiles(files)
}

/// The bundle in `folder`: its YAML files and those of its folders.
///
/// # Errors
///
/// A folder or file that cannot be read, or is not UTF-8; the error names it.
pub fn from_dir(folder: &Path) -> io::Result<BundleFiles> {
    fn add(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> io::Result<()> {
        let named = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
        };
        for entry in fs::read_dir(folder).map_err(|error| named(folder, error))? {
            let path = entry.map_err(|error| named(folder, error))?.path();
            if path.is_dir() {
                add(root, &path, files)?;
            } else if path.extension().is_some_and(|extension| extension == YAML) {
                let text = fs::read_to_string(&path).map_err(|error| named(&path, error))?;
                // A path below the root begins with it.
                files.insert(slashed(path.strip_prefix(root).unwrap_or(&path)), text);
            }
        }
        Ok(())
    }
    let mut files = BTreeMap::new();
    add(folder, folder, &mut files)?;
    Ok(BundleFiles(files))
}

/// A relative path with `/` between its parts, on every system.
fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::from_dir;

    #[test]
    fn a_folder_gives_its_yaml_files_under_relative_paths() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("ae-report")).unwrap();
        fs::write(folder.path().join("ae-report/workflow.yaml"), "id: ae-report\n").unwrap();
        fs::write(folder.path().join("README.md"), "not a part of the bundle").unwrap();
        let files = from_dir(folder.path()).unwrap();
        assert_eq!(
            files.0.into_iter().collect::<Vec<_>>(),
            [("ae-report/workflow.yaml".to_owned(), "id: ae-report\n".to_owned())]
        );
    }
}
