//! Every relative link of a markdown file leads to a file, and every `#fragment` to a heading.

use super::Finding;
use super::tree::{File, Tree};
use std::collections::BTreeMap;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files.iter().filter(|file| file.path.ends_with(".md"));
    pages.flat_map(|page| broken(page, tree)).collect()
}

fn broken(page: &File, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, target) in links(&page.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
        let Some(path) = resolve(&page.path, path) else {
            let text = format!("The link {target} leads out of the repository.");
            findings.push(Finding::new(&page.path, line, text));
            continue;
        };
        let file = tree.find(&path);
        if file.is_none() && !tree.root.join(&path).exists() {
            let text = format!("The link {target} leads to no file.");
            findings.push(Finding::new(&page.path, line, text));
        } else if let Some(file) = file
            && path.ends_with(".md")
            && !fragment.is_empty()
            && !fragments(&file.text).contains(&fragment.to_owned())
        {
            let text = format!("The link {target} leads to no heading of {path}.");
            findings.push(Finding::new(&page.path, line, text));
        }
    }
    findings
}

/// The path from the root that a link on `page` means; a link with a leading `/` starts at the root.
fn resolve(page: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(page.to_owned());
    }
    let (base, link) = match link.strip_prefix('/') {
        Some(link) => ("", link),
        None => (page.rsplit_once('/').map_or("", |(folder, _)| folder), link),
    };
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines outside of fenced code, with their numbers and without inline code.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fence = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, None) => return Some((index + 1, without_code(line))),
            (None, Some(_)) => fence = mark,
            (Some(_), _) if mark == fence => fence = None,
            (Some(_), _) => {}
        }
        None
    })
}

/// A line with its `inline code` left out; an unpaired backtick is text.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    parts.into_iter().step_by(2).collect()
}

/// The targets of `[text](target)` and `[name]: target`, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let inline = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next());
        let named = line
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        let named = named.and_then(|(_, rest)| rest.split_whitespace().next());
        for target in inline.chain(named) {
            let target = target.trim_matches(['<', '>']);
            if !target.is_empty() {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// What a `#fragment` may name in a page: its headings as GitHub names them, and its anchors.
fn fragments(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for part in line.split("<a id=\"").skip(1) {
            found.extend(part.split('"').next().map(str::to_owned));
        }
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            let slug = slug(title);
            let count = seen.entry(slug.clone()).or_default();
            found.push(if *count == 0 {
                slug
            } else {
                format!("{slug}-{count}")
            });
            *count += 1;
        }
    }
    found
}

/// A heading in lower case, with `-` for spaces and without marks.
fn slug(title: &str) -> String {
    let kept = title
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{broken, fragments, links, resolve};
    use crate::tidy::tree::{File, Tree};

    fn tree(pages: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Tree {
            root: "no-such-folder".into(),
            files: pages.iter().map(file).collect(),
        }
    }

    #[test]
    fn links_are_read_outside_of_code_only() {
        let text =
            "[a](b.md) ![c](d.png \"t\")\n```\n[x](y.md)\n```\n`[x](y.md)` [e](<f.md>)\n[g]: h.md";
        let found: Vec<String> = links(text)
            .into_iter()
            .map(|(line, target)| format!("{line} {target}"))
            .collect();
        assert_eq!(found, ["1 b.md", "1 d.png", "5 f.md", "6 h.md"]);
    }

    #[test]
    fn paths_start_at_the_page_or_at_the_root() {
        assert_eq!(resolve("docs/a.md", "b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(resolve("docs/a.md", "../b.md").as_deref(), Some("b.md"));
        assert_eq!(resolve("docs/a.md", "/b.md").as_deref(), Some("b.md"));
        assert_eq!(resolve("docs/a.md", "").as_deref(), Some("docs/a.md"));
        assert_eq!(resolve("a.md", "../b.md"), None);
    }

    #[test]
    fn headings_are_named_as_github_names_them() {
        let text = "# The `mec` binary: why?\n## Same\n## Same\n```\n# no\n```\n<a id=\"x_y\"></a>";
        assert_eq!(
            fragments(text),
            ["the-mec-binary-why", "same", "same-1", "x_y"]
        );
    }

    #[test]
    fn broken_links_are_named() {
        let page = (
            "docs/a.md",
            "# A\n[1](b.md#b) [2](#a) [3](https://x.y/z)\n[4](c.md)\n[5](b.md#c) [6](../../d)",
        );
        let tree = tree(&[page, ("docs/b.md", "# B")]);
        let found: Vec<String> = tree
            .files
            .iter()
            .flat_map(|page| broken(page, &tree))
            .map(|f| f.to_string())
            .collect();
        assert_eq!(
            found,
            [
                "docs/a.md:3: The link c.md leads to no file.",
                "docs/a.md:4: The link b.md#c leads to no heading of docs/b.md.",
                "docs/a.md:4: The link ../../d leads out of the repository.",
            ]
        );
    }
}
