//! The memory limit of the container this process runs in, from the files of its control group, version 1 or 2.

use std::path::{Path, PathBuf};

/// Where control groups are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// Bytes the kernel lets this process's container use; None if there is no limit.
pub(crate) fn memory_limit() -> Option<usize> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_in(Path::new(ROOT), &groups)
}

/// `groups` is the text of `/proc/self/cgroup`. Every ancestor may set a limit of its own: the lowest counts. Inside a
/// container the path may be the host's, which is not visible; then the mounted root is the container's own group.
fn limit_in(root: &Path, groups: &str) -> Option<usize> {
    let v2 = path_of(groups, |controllers| controllers.is_empty())
        .map(|path| lowest(root, path, "memory.max"));
    let v1 = path_of(groups, |controllers| {
        controllers.split(',').any(|name| name == "memory")
    })
    .map(|path| lowest(&root.join("memory"), path, "memory.limit_in_bytes"));
    [v2, v1].into_iter().flatten().flatten().min()
}

/// The path of the group whose controllers `wanted` accepts: a line is `number:controllers:path`.
fn path_of(groups: &str, wanted: impl Fn(&str) -> bool) -> Option<&str> {
    groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        wanted(controllers).then_some(path)
    })
}

fn lowest(root: &Path, path: &str, file: &str) -> Option<usize> {
    let mut lowest = None;
    let mut group = PathBuf::from(path.trim_start_matches('/'));
    loop {
        let limit = read_limit(&root.join(&group).join(file));
        lowest = [lowest, limit].into_iter().flatten().min();
        if !group.pop() {
            return lowest;
        }
    }
}

fn read_limit(file: &Path) -> Option<usize> {
    /// Version 1 says "none" by a number near the end of the range.
    const NONE: usize = 1 << 60;
    let text = std::fs::read_to_string(file).ok()?;
    text.trim().parse().ok().filter(|&limit| limit < NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with these files, gone at the end of the test.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str, files: &[(&str, &str)]) -> Files {
            let root = std::env::temp_dir().join(format!("cgroup-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Files(root)
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn version_2_limits_by_the_lowest_ancestor() {
        let files = Files::new(
            "v2",
            &[
                ("pod/memory.max", "1073741824\n"),
                ("pod/container/memory.max", "max\n"),
                ("pod/container/memory.current", "5\n"),
            ],
        );
        assert_eq!(limit_in(&files.0, "0::/pod/container\n"), Some(1 << 30));
        assert_eq!(limit_in(&files.0, "0::/other\n"), None);
    }

    #[test]
    fn version_1_limits_by_the_memory_controller() {
        let groups = "5:devices:/a\n4:cpu,memory:/a/b\n0::/\n";
        let files = Files::new(
            "v1",
            &[
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/a/b/memory.limit_in_bytes", "536870912\n"),
                ("memory/a/memory.limit_in_bytes", "1073741824\n"),
            ],
        );
        assert_eq!(limit_in(&files.0, groups), Some(512 << 20));
    }

    #[test]
    fn a_path_of_the_host_is_not_there_and_the_mounted_root_counts() {
        let files = Files::new("host", &[("memory.max", "268435456\n")]);
        let groups = "0::/kubepods.slice/pod1/cri-containerd-2.scope\n";
        assert_eq!(limit_in(&files.0, groups), Some(256 << 20));
    }

    #[test]
    fn without_a_limit_or_with_files_that_say_nothing_there_is_none() {
        let files = Files::new(
            "none",
            &[
                ("memory.max", "max\n"),
                ("memory/memory.limit_in_bytes", "x"),
            ],
        );
        for groups in ["0::/\n1:memory:/\n", "", "nonsense", "1:memory"] {
            assert_eq!(limit_in(&files.0, groups), None, "{groups:?}");
        }
    }
}
