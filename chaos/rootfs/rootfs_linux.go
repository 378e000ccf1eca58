package rootfs

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Open opens the directory at an absolute path in a process's view of the filesystem. If the process has no such
// directory, the error names some that it writes to.
func Open(pid int, path string) (*os.File, error) {
	dir, err := open(pid, path, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, os.ErrNotExist) {
		if list := written(pid); len(list) > 0 {
			return nil, fmt.Errorf("%w; its process writes to %s", err, strings.Join(list, " and "))
		}
	}
	return dir, err
}

// mostWritten is the number of directories that an error names.
const mostWritten = 3

// written lists directories in which a process has regular files open for writing, in its own view, in order.
func written(pid int) (list []string) {
	for link, info := range descriptors(pid) {
		path, err := os.Readlink(link)
		if err != nil || !filepath.IsAbs(path) || strings.HasSuffix(path, " (deleted)") {
			continue // no file with a name
		}
		if is, err := os.Stat(link); err != nil || !is.Mode().IsRegular() || !writes(info) {
			continue
		}
		if dir := filepath.Dir(path); !slices.Contains(list, dir) {
			list = append(list, dir)
		}
		if len(list) == mostWritten {
			break
		}
	}
	slices.Sort(list)
	return list
}

func open(pid int, path string, flags uint64) (*os.File, error) {
	root, err := os.OpenFile(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	for {
		fd, err := unix.Openat2(int(root.Fd()), path, &how)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN): // a path component was renamed meanwhile
			continue
		case errors.Is(err, unix.ENOSYS):
			return nil, errors.New("this kernel has no openat2: it takes Linux 5.6")
		case err != nil:
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

// SpaceOf returns the capacity of a directory's filesystem.
func SpaceOf(dir *os.File) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &st); err != nil {
		return Space{}, os.NewSyscallError("statfs", err)
	}
	return Space{
		Total: int64(st.Blocks) * st.Bsize, Free: int64(st.Bfree) * st.Bsize,
		Memory: st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC,
	}, nil
}

// Unnamed makes a temporary file in a directory; closing it deletes it. The file has no name. On
// a filesystem without such files it has the given name until Unnamed unlinks it.
func Unnamed(dir *os.File, name string) (*os.File, error) {
	f, err := tmpfile(dir)
	if errors.Is(err, errNames) {
		return unnamed(dir, name)
	}
	return f, err
}

// Names reports whether a file in a directory needs a name for a moment.
func Names(dir *os.File) bool {
	f, err := tmpfile(dir)
	if err == nil {
		_ = f.Close()
	}
	return errors.Is(err, errNames)
}

var errNames = errors.New("the filesystem has no files without a name")

func tmpfile(dir *os.File) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) || errors.Is(err, unix.ENOENT) {
		return nil, errNames
	}
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	return os.NewFile(uintptr(fd), "unnamed"), nil
}

// unnamed makes a file and unlinks its name.
func unnamed(dir *os.File, name string) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := Unlink(dir, name); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Unlink removes a file's name, if it exists.
func Unlink(dir *os.File, name string) error {
	if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("unlink", err)
	}
	return nil
}

// Reserve allocates n more bytes for a file of size bytes.
func Reserve(f *os.File, size, n int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, size, n)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP):
			return write(f, size, n)
		case err != nil:
			return os.NewSyscallError("fallocate", err)
		}
		return nil
	}
}

// Taken returns the allocated space of a file in bytes.
func Taken(f *os.File) (int64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return 0, os.NewSyscallError("stat", err)
	}
	return st.Blocks * 512, nil
}

// write allocates space by writing, for filesystems without fallocate.
func write(f *os.File, size, n int64) error {
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = 0xb5 // a hole takes no space
	}
	for n > 0 {
		m, err := f.WriteAt(block[:min(n, int64(len(block)))], size)
		size, n = size+int64(m), n-int64(m)
		if err != nil {
			return err
		}
	}
	return nil
}

// IsFull reports whether an error means that a filesystem or quota is full.
func IsFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// Device returns the whole disk, as major:minor, of a directory of a process. For an overlay it is the disk of the
// upper directory, and for a partition the disk that contains it.
func Device(dir *os.File, pid int) (string, error) {
	dev, err := Filesystem(dir, pid)
	if err != nil {
		return "", err
	}
	sys, err := filepath.EvalSymlinks("/sys/dev/block/" + dev)
	if err != nil {
		return "", fmt.Errorf("%s lies on no known disk", dir.Name())
	}
	if _, err := os.Stat(filepath.Join(sys, "partition")); err == nil {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(sys), "dev"))
		if err != nil {
			return "", err
		}
		dev = strings.TrimSpace(string(b))
	}
	return dev, nil
}

// Filesystem returns the device, as major:minor, of the filesystem of a process's directory. For an overlay it is the
// device of the upper directory.
func Filesystem(dir *os.File, pid int) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(dir.Fd()), &st); err != nil {
		return "", os.NewSyscallError("stat", err)
	}
	major, minor := unix.Major(st.Dev), unix.Minor(st.Dev)
	if major == 0 {
		if a, b, err := below(dir, pid); err == nil {
			major, minor = a, b
		}
	}
	return fmt.Sprintf("%d:%d", major, minor), nil
}

// below finds the disk of a filesystem without a device of its own, by its mount.
func below(dir *os.File, pid int) (major, minor uint32, err error) {
	m, err := mountOf(dir, pid)
	if err != nil {
		return 0, 0, err
	}
	var st unix.Stat_t
	if m.Kind == "overlay" {
		for _, option := range m.Super {
			if upper, ok := strings.CutPrefix(option, "upperdir="); ok && stat(upper, &st) == nil && unix.Major(st.Dev) != 0 {
				return unix.Major(st.Dev), unix.Minor(st.Dev), nil
			}
		}
		return 0, 0, errNoDisk
	}
	if strings.HasPrefix(m.Source, "/dev/") && stat(m.Source, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK { // btrfs
		return unix.Major(st.Rdev), unix.Minor(st.Rdev), nil
	}
	return 0, 0, errNoDisk
}

var errNoDisk = errors.New("no disk")

// stat looks up a path of the machine. In a container that shares the machine's PID namespace this
// process has a different root; then stat uses the root of the parent process, which belongs to the
// machine.
func stat(path string, st *unix.Stat_t) error {
	err := unix.Stat(path, st)
	if err != nil {
		err = unix.Stat(filepath.Join("/proc", strconv.Itoa(os.Getppid()), "root", path), st)
	}
	return err
}

// mountID returns the id of the mount of an open file.
func mountID(f *os.File) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", f.Fd()))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if id, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(id), nil
		}
	}
	return "", errors.New("this kernel does not report the mount of a file")
}

// HasName reports whether a file with a name is in a directory.
func HasName(dir *os.File, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// OfMachine reports whether the filesystem of a process's directory is a disk of the machine, which the machine and
// other containers fill too: the writable layer of a container, or the filesystem of the machine's root.
func OfMachine(dir *os.File, pid int) bool {
	if m, err := mountOf(dir, pid); err == nil && m.Kind == "overlay" {
		return true
	}
	root, err := Open(1, "/")
	if err != nil {
		return false
	}
	defer root.Close()
	own, err := Filesystem(root, 1)
	is, ierr := Filesystem(dir, pid)
	return err == nil && ierr == nil && own == is
}

// mountOf returns the mount that a process's directory is on.
func mountOf(dir *os.File, pid int) (Mount, error) {
	id, err := mountID(dir)
	if err != nil {
		return Mount{}, err
	}
	mounts, err := Mounts(pid)
	if err != nil {
		return Mount{}, err
	}
	for _, m := range mounts {
		if m.ID == id {
			return m, nil
		}
	}
	return Mount{}, errors.New("its mount is not known")
}

// Uses says how a process uses a directory: the file below it that it has open for writing, or its working directory.
// It is empty if the process has neither, or can't be read.
func Uses(pid int, dir *os.File) string {
	at, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	var top unix.Stat_t
	if err != nil || unix.Fstat(int(dir.Fd()), &top) != nil {
		return ""
	}
	below := func(link string) (string, bool) {
		path, err := os.Readlink(link)
		var st unix.Stat_t
		if err != nil || path != at && !strings.HasPrefix(path, strings.TrimSuffix(at, "/")+"/") {
			return "", false
		}
		return path, unix.Stat(link, &st) == nil && st.Dev == top.Dev
	}
	for link, info := range descriptors(pid) {
		if path, ok := below(link); ok && writes(info) {
			return "has " + path + " open for writing"
		}
	}
	if path, ok := below(fmt.Sprintf("/proc/%d/cwd", pid)); ok {
		return "works in " + path
	}
	return ""
}

// descriptors yields, for each open descriptor of a process, its link and the file that describes it. It yields nothing
// for a process that can't be read.
func descriptors(pid int) iter.Seq2[string, string] {
	return func(yield func(link, info string) bool) {
		fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		for _, fd := range fds {
			if !yield(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()), fmt.Sprintf("/proc/%d/fdinfo/%s", pid, fd.Name())) {
				return
			}
		}
	}
}

// writes reports whether the descriptor that a file of fdinfo describes is open for writing (proc_pid_fdinfo(5)).
func writes(fdinfo string) bool {
	b, err := os.ReadFile(fdinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(text), 8, 64)
			return err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY
		}
	}
	return false
}

// AsUserOf calls do with the rights to files that the user and the groups of a process have. The error is do's, or says
// that this process can't take that user's place.
//
// subtle: these ids belong to a thread. A thread that can't be brought back ends with its goroutine.
func AsUserOf(pid int, do func() error) error {
	user, group, groups, err := userOf(pid)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		before, err := unix.Getgroups()
		if err == nil {
			err = setGroups(groups)
		}
		if err != nil {
			done <- fmt.Errorf("take the groups of process %d: %w", pid, err)
			return
		}
		wasGroup, _ := unix.SetfsgidRetGid(group)
		wasUser, _ := unix.SetfsuidRetUid(user)
		if now, _ := unix.SetfsuidRetUid(-1); now == user { // it reports no error
			err = do()
		} else {
			err = fmt.Errorf("take the user of process %d: %w", pid, unix.EPERM)
		}
		_, _ = unix.SetfsuidRetUid(wasUser)
		_, _ = unix.SetfsgidRetGid(wasGroup)
		if setGroups(before) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// setGroups sets the groups of this thread, unlike [unix.Setgroups], which sets those of the process.
func setGroups(groups []int) error {
	ids := make([]uint32, len(groups)+1) // one more, so that there is a first
	for i, g := range groups {
		ids[i] = uint32(g)
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&ids[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// userOf returns the ids by which the kernel checks a process's access to files.
func userOf(pid int) (user, group int, groups []int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, nil, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch {
		case f[0] == "Uid:" && len(f) > 4:
			user, err = strconv.Atoi(f[4])
		case f[0] == "Gid:" && len(f) > 4:
			group, err = strconv.Atoi(f[4])
		case f[0] == "Groups:":
			for _, text := range f[1:] {
				n, aerr := strconv.Atoi(text)
				groups, err = append(groups, n), errors.Join(err, aerr)
			}
		}
		if err != nil {
			return 0, 0, nil, err
		}
	}
	return user, group, groups, nil
}
