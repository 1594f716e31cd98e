//! The crates depend on each other in one direction, and only the binary names the stores.

use super::Finding;
use super::tree::Tree;
use crate::workspace::{self, Package};
use anyhow::Result;

const STORES: [&str; 2] = ["mec-store-sqlite", "mec-store-postgres"];

/// For each crate, the members that its normal and build dependencies may name.
const MAY_NAME: [(&str, &[&str]); 14] = [
    ("mec-core", &[]),
    ("mec-query", &["mec-core"]),
    ("mec-client", &["mec-core"]),
    ("mec-store", &["mec-core", "mec-query"]),
    ("mec-store-sqlite", &["mec-core", "mec-query", "mec-store"]),
    (
        "mec-store-postgres",
        &["mec-core", "mec-query", "mec-store"],
    ),
    ("mec-engine", &["mec-core", "mec-query", "mec-store"]),
    (
        "mec-http",
        &["mec-core", "mec-query", "mec-store", "mec-engine"],
    ),
    (
        "mec",
        &[
            "mec-core",
            "mec-query",
            "mec-store",
            "mec-store-sqlite",
            "mec-store-postgres",
            "mec-engine",
            "mec-http",
        ],
    ),
    ("mec-cases", &[]),
    ("mec-test-postgres", &["mec-store-postgres"]),
    ("mec-test-postgrest", &[]),
    ("mec-e2e", &["mec-client"]),
    (
        "xtask",
        &[
            "mec-core",
            "mec-store",
            "mec-store-sqlite",
            "mec-engine",
            "mec-http",
            "mec-test-postgrest",
        ],
    ),
];

pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let packages = workspace::metadata()?.packages;
    let mut findings = Vec::new();
    for package in &packages {
        let manifest = package.manifest_path.strip_prefix(&tree.root);
        let manifest = manifest
            .unwrap_or(&package.manifest_path)
            .to_string_lossy()
            .into_owned();
        for (name, sentence) in wrong_dependencies(package, &packages) {
            let line = tree
                .find(&manifest)
                .map_or(1, |file| dependency_line(&file.text, &name));
            findings.push(Finding::new(&manifest, line, sentence));
        }
    }
    Ok(findings)
}

/// The dependencies of a member that go the wrong way, each with the sentence that says so.
fn wrong_dependencies(package: &Package, members: &[Package]) -> Vec<(String, String)> {
    let name = &package.name;
    let Some((_, allowed)) = MAY_NAME.iter().find(|(member, _)| member == name) else {
        let text =
            format!("{name} has no row in xtask/src/tidy/direction.rs: say what it may depend on.");
        return vec![(name.clone(), text)];
    };
    let mut wrong = Vec::new();
    for dependency in &package.dependencies {
        let target = &dependency.name;
        let is_member = members.iter().any(|member| member.name == *target);
        let is_dev = dependency.kind.as_deref() == Some("dev");
        if !is_member || is_dev || allowed.contains(&target.as_str()) {
            continue;
        }
        let rule = if STORES.contains(&target.as_str()) {
            "only the binary names a store"
        } else {
            "the direction is mec -> mec-http -> mec-engine -> mec-store -> mec-core"
        };
        wrong.push((
            target.clone(),
            format!("{name} may not depend on {target}: {rule}."),
        ));
    }
    wrong
}

/// The number, from 1, of the manifest's line that names a dependency.
fn dependency_line(manifest: &str, name: &str) -> usize {
    let names = |line: &str| {
        line.trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest
        .lines()
        .position(names)
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::{dependency_line, wrong_dependencies};
    use crate::workspace::{Dependency, Package};

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
        };
        Package {
            name: name.to_owned(),
            manifest_path: "Cargo.toml".into(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[track_caller]
    fn check(name: &str, dependency: &str, kind: Option<&str>, expected: &[&str]) {
        let members = [
            package(name, &[(dependency, kind)]),
            package("mec-engine", &[]),
            package("mec-store-sqlite", &[]),
        ];
        let [first, ..] = &members;
        let found: Vec<String> = wrong_dependencies(first, &members)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn dependencies_go_one_way() {
        check("mec-http", "mec-engine", None, &[]);
        check(
            "mec-store",
            "mec-engine",
            None,
            &["mec-store may not depend on mec-engine: \
               the direction is mec -> mec-http -> mec-engine -> mec-store -> mec-core."],
        );
    }

    #[test]
    fn only_the_binary_and_tests_name_a_store() {
        let sentence =
            "mec-http may not depend on mec-store-sqlite: only the binary names a store.";
        check("mec-http", "mec-store-sqlite", None, &[sentence]);
        check("mec-http", "mec-store-sqlite", Some("build"), &[sentence]);
        check("mec-http", "mec-store-sqlite", Some("dev"), &[]);
        check("mec", "mec-store-sqlite", None, &[]);
    }

    #[test]
    fn crates_from_outside_are_free_and_new_members_are_not() {
        check("mec-core", "serde", None, &[]);
        let sentence =
            "mec-new has no row in xtask/src/tidy/direction.rs: say what it may depend on.";
        check("mec-new", "serde", None, &[sentence]);
    }

    #[test]
    fn the_line_of_a_dependency_is_found() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nmec-store-sqlite.workspace = true\nmec-store = {}\n";
        assert_eq!(dependency_line(manifest, "mec-store"), 5);
        assert_eq!(dependency_line(manifest, "mec-store-sqlite"), 4);
    }
}
