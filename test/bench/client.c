// usage: client FOLDER SECONDS MODE...
// Makes one kind of system call after the other on FOLDER, each MODE for SECONDS, and prints "MODE OPERATIONS NANOSECONDS
// BYTES" for each. A program rather than a shell loop, so that forks and path searches are not measured.

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SMALL = 4096, BLOCK = 1 << 20, BLOCKS = 64, CLIENTS = 4 };

struct tally {
  long operations;
  long bytes;
};

static char *block;

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int open_or_die(const char *path, int flags) {
  int fd = open(path, flags, 0644);
  if (fd < 0) err(1, "open %s", path);
  return fd;
}

static void stat_once(struct tally *tally) {
  struct stat s;
  if (stat("small", &s)) err(1, "stat");
  tally->operations++;
}

static void open_read_close(struct tally *tally) {
  int fd = open_or_die("small", O_RDONLY);
  if (read(fd, block, SMALL) != SMALL) err(1, "read");
  close(fd);
  tally->operations++;
}

static void create_write_unlink(struct tally *tally) {
  char name[32];
  snprintf(name, sizeof name, "new-%d", getpid());
  int fd = open_or_die(name, O_WRONLY | O_CREAT | O_EXCL);
  if (write(fd, block, SMALL) != SMALL) err(1, "write");
  close(fd);
  if (unlink(name)) err(1, "unlink");
  tally->operations++;
}

static void sequential_read(struct tally *tally) {
  int fd = open_or_die("big", O_RDONLY);
  for (long got; (got = read(fd, block, BLOCK)) > 0; tally->bytes += got) tally->operations++;
  close(fd);
}

static void sequential_write(struct tally *tally) {
  int fd = open_or_die("written", O_WRONLY | O_CREAT | O_TRUNC);
  for (int i = 0; i < BLOCKS; i++, tally->bytes += BLOCK, tally->operations++) {
    if (write(fd, block, BLOCK) != BLOCK) err(1, "write");
  }
  close(fd);
}

static const struct mode {
  const char *name;
  void (*once)(struct tally *);
  int clients;
} modes[] = {
    {"stat", stat_once, 1},
    {"open-read-close", open_read_close, 1},
    {"create-write-unlink", create_write_unlink, 1},
    {"sequential-read", sequential_read, 1},
    {"sequential-write", sequential_write, 1},
    {"stat-by-4", stat_once, CLIENTS},
    {"open-read-close-by-4", open_read_close, CLIENTS},
};

static void repeat(const struct mode *mode, long limit_ns, struct tally *tally) {
  long end = now_ns() + limit_ns;
  do mode->once(tally);
  while (now_ns() < end);
}

static void measure(const struct mode *mode, long limit_ns) {
  size_t size = CLIENTS * sizeof(struct tally);
  struct tally *tallies = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (tallies == MAP_FAILED) err(1, "mmap");
  long start = now_ns();
  for (int i = 0; i < mode->clients; i++) {
    pid_t pid = fork();
    if (pid < 0) err(1, "fork");
    if (pid == 0) {
      repeat(mode, limit_ns, &tallies[i]);
      _exit(0);
    }
  }
  for (int i = 0, status; i < mode->clients; i++) {
    if (wait(&status) < 0 || status != 0) errx(1, "%s: a client failed", mode->name);
  }
  long elapsed = now_ns() - start;
  struct tally sum = {0};
  for (int i = 0; i < mode->clients; i++) {
    sum.operations += tallies[i].operations;
    sum.bytes += tallies[i].bytes;
  }
  munmap(tallies, size);
  printf("%s %ld %ld %ld\n", mode->name, sum.operations, elapsed, sum.bytes);
  fflush(stdout);
}

static void prepare(void) {
  int fd = open_or_die("small", O_WRONLY | O_CREAT | O_TRUNC);
  if (write(fd, block, SMALL) != SMALL) err(1, "write");
  close(fd);
  fd = open_or_die("big", O_WRONLY | O_CREAT | O_TRUNC);
  for (int i = 0; i < BLOCKS; i++) {
    if (write(fd, block, BLOCK) != BLOCK) err(1, "write");
  }
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 4) errx(2, "usage: client FOLDER SECONDS MODE...");
  if (chdir(argv[1])) err(1, "chdir %s", argv[1]);
  long limit_ns = (long)(atof(argv[2]) * 1e9);
  block = aligned_alloc(SMALL, BLOCK);
  memset(block, 'x', BLOCK);
  prepare();
  for (int i = 3; i < argc; i++) {
    const struct mode *mode = NULL;
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
      if (strcmp(modes[m].name, argv[i]) == 0) mode = &modes[m];
    }
    if (mode == NULL) errx(2, "no mode %s", argv[i]);
    measure(mode, limit_ns);
  }
}
