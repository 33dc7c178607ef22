/* Stands between a program and the C library's file calls, for tests: fails the n-th call of one kind on files of a
 * store, or writes down every call in order. Built by the tests with the system's C compiler, loaded with LD_PRELOAD.
 *
 * SHIM_MARK   only paths that contain this text count
 * SHIM_CALL   create, write, pwrite, fsync, fdatasync, rename, truncate or range
 * SHIM_NTH    which call of that kind, from 1
 * SHIM_ERROR  EIO, ENOSPC, EINTR or SHORT (half of the bytes are written)
 * SHIM_LIES   syncs answer that all is well and do nothing
 * SHIM_LOG    a file that gets a line for each call: kind, path, offset, bytes, result; also for each `send` before it is
 *             done, with the first word of what is sent as its path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_long reached;

static int counts(const char *path) {
    const char *mark = getenv("SHIM_MARK");
    return mark && path && strstr(path, mark) != NULL;
}

static void path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void note(const char *kind, const char *path, long offset, long bytes, long result) {
    const char *log = getenv("SHIM_LOG");
    if (!log) return;
    char line[1024];
    int length = snprintf(line, sizeof line, "%s\t%s\t%ld\t%ld\t%ld\n", kind, path, offset, bytes, result);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    syscall(SYS_write, fd, line, length < (int)sizeof line ? length : (int)sizeof line - 1);
    syscall(SYS_close, fd);
}

/* 0: goes on; otherwise the error number, or -1 for a short write. */
static int fault(const char *kind, const char *path) {
    const char *call = getenv("SHIM_CALL"), *nth = getenv("SHIM_NTH"), *error = getenv("SHIM_ERROR");
    if (!call || !nth || !error || strcmp(call, kind) != 0 || !counts(path)) return 0;
    if (atomic_fetch_add(&reached, 1) + 1 != atol(nth)) return 0;
    if (strcmp(error, "EIO") == 0) return EIO;
    if (strcmp(error, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(error, "EINTR") == 0) return EINTR;
    return -1;
}

static long failed(const char *kind, const char *path, long offset, long bytes, int number) {
    int saved = number;
    note(kind, path, offset, bytes, -number);
    errno = saved;
    return -1;
}

#define BEGIN(kind, number_of_bytes)                                             \
    int saved_errno = errno;                                                     \
    char path[512];                                                              \
    path_of(fd, path, sizeof path);                                              \
    int number = fault(kind, path);                                              \
    errno = saved_errno;                                                         \
    if (number == -1 && (number_of_bytes) < 2) number = 0;

#define END(kind, offset, bytes)                                                 \
    if (counts(path) || fd == 1) {                                               \
        int after = errno;                                                       \
        note(kind, fd == 1 ? "stdout" : path, offset, bytes, result < 0 ? -after : result); \
        errno = after;                                                           \
    }                                                                            \
    return result;

ssize_t write(int fd, const void *data, size_t count) {
    BEGIN("write", count)
    if (number > 0) return failed("write", path, -1, (long)count, number);
    ssize_t result = REAL(write)(fd, data, number == -1 ? count / 2 : count);
    END("write", -1, (long)count)
}

static ssize_t positioned(int fd, const void *data, size_t count, off_t offset) {
    BEGIN("pwrite", count)
    if (number > 0) return failed("pwrite", path, (long)offset, (long)count, number);
    ssize_t result = REAL(pwrite)(fd, data, number == -1 ? count / 2 : count, offset);
    END("pwrite", (long)offset, (long)count)
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) { return positioned(fd, data, count, offset); }
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) { return positioned(fd, data, count, offset); }

int fsync(int fd) {
    BEGIN("fsync", 0)
    if (number > 0) return (int)failed("fsync", path, -1, 0, number);
    int result = getenv("SHIM_LIES") ? 0 : REAL(fsync)(fd);
    END("fsync", -1, 0)
}

int fdatasync(int fd) {
    BEGIN("fdatasync", 0)
    if (number > 0) return (int)failed("fdatasync", path, -1, 0, number);
    int result = getenv("SHIM_LIES") ? 0 : REAL(fdatasync)(fd);
    END("fdatasync", -1, 0)
}

int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
    BEGIN("range", 0)
    if (number > 0) return (int)failed("range", path, (long)offset, (long)count, number);
    int result = getenv("SHIM_LIES") ? 0 : REAL(sync_file_range)(fd, offset, count, flags);
    END("range", (long)offset, (long)count)
}

int ftruncate64(int fd, off64_t length) {
    BEGIN("truncate", 0)
    if (number > 0) return (int)failed("truncate", path, (long)length, 0, number);
    int result = REAL(ftruncate64)(fd, length);
    END("truncate", (long)length, 0)
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

ssize_t send(int fd, const void *data, size_t count, int flags) {
    char word[8] = "";
    for (size_t at = 0; at < count && at + 1 < sizeof word; at++) {
        char letter = ((const char *)data)[at];
        if (letter < 'A' || letter > 'Z') break;
        word[at] = letter;
    }
    note("send", word, -1, (long)count, 0);
    return REAL(send)(fd, data, count, flags);
}

int rename(const char *from, const char *to) {
    int number = fault("rename", to);
    if (number > 0) return (int)failed("rename", to, -1, 0, number);
    int result = REAL(rename)(from, to);
    int after = errno;
    if (counts(to)) note("rename", to, -1, 0, result < 0 ? -after : result);
    errno = after;
    return result;
}

static int opened(int directory, const char *path, int flags, mode_t mode) {
    if (!(flags & O_CREAT)) return (int)syscall(SYS_openat, directory, path, flags, mode);
    int number = fault("create", path);
    if (number > 0) return (int)failed("create", path, -1, 0, number);
    int result = (int)syscall(SYS_openat, directory, path, flags, mode);
    int after = errno;
    if (counts(path)) note("create", path, -1, 0, result < 0 ? -after : 0);
    errno = after;
    return result;
}

#define MODE(flags)                                      \
    mode_t mode = 0;                                     \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {             \
        va_list rest;                                    \
        va_start(rest, flags);                           \
        mode = va_arg(rest, mode_t);                     \
        va_end(rest);                                    \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opened(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opened(directory, path, flags | O_LARGEFILE, mode);
}
