/*
 * Plays and receives RTP for many phones from one thread, as exactly in time as the machine allows, and
 * says how exactly. It knows nothing of codecs: the packets come ready made.
 *
 *   rtp-load TRACKS LEGS SECONDS [SETTLE]
 *
 * TRACKS  binary, little-endian: u32 count; each track: u32 packets; each packet: u16 length, octets.
 *         A packet is sent every 20 ms; a track that ends begins again.
 * LEGS    text, a line each: LOCALPORT REMOTEPORT TRACK PHASE_US PROBE
 *         REMOTEPORT 0: only receives. PROBE 1: clicks in PCMU are told, going out and coming in.
 * SECONDS how long; figures count from SETTLE seconds on.
 *
 * Prints "ready" when the sockets are bound, waits for a line on stdin, plays, prints "measuring" when
 * the settling is over, and at the end one JSON line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_NS 20000000LL
/* Receives are looked after this often when nothing is to be sent. */
#define IDLE_NS 1000000LL
#define SEND_AT_ONCE 32
#define MAX_LEGS 8192
#define MAX_TRACKS 64
#define MAX_CLICKS 65536
#define GAP_NS 40000000LL
/* Of 16 bits: what counts as a click, and what must lie between two. */
#define CLICK_LEVEL 6000
#define CLICK_APART_NS 200000000LL

struct track { uint32_t packets; uint16_t *lengths; uint8_t **data; };

struct leg {
  int fd, rtcp, probe;
  uint32_t track, next;
  int64_t due;
  struct sockaddr_in to;
  int64_t sent, received, gaps, last_arrival, last_click_in;
  int64_t received_early; /* before the measuring began */
  int64_t lost;
  int have_sequence;
  uint16_t sequence;
};

struct click { int leg; int out; int64_t at_ns; };

static struct track tracks[MAX_TRACKS];
static struct leg legs[MAX_LEGS];
static int heap[MAX_LEGS], senders, leg_count;
static struct click clicks[MAX_CLICKS];
static int click_count;
static int16_t mu_law[256];
/* Microseconds that packets left after they were due: one bucket each, the last holds the rest. */
#define LATE_BUCKETS 50001
static int64_t late[LATE_BUCKETS], late_count, late_max, send_errors, longest_gap;

static void die(const char *what) { perror(what); exit(1); }

static int64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void read_tracks(const char *name) {
  FILE *file = fopen(name, "rb");
  uint32_t count;
  if (!file || fread(&count, 4, 1, file) != 1 || count > MAX_TRACKS) die(name);
  for (uint32_t i = 0; i < count; i++) {
    struct track *track = &tracks[i];
    if (fread(&track->packets, 4, 1, file) != 1) die(name);
    track->lengths = malloc(track->packets * sizeof *track->lengths);
    track->data = malloc(track->packets * sizeof *track->data);
    for (uint32_t p = 0; p < track->packets; p++) {
      if (fread(&track->lengths[p], 2, 1, file) != 1) die(name);
      track->data[p] = malloc(track->lengths[p]);
      if (fread(track->data[p], 1, track->lengths[p], file) != track->lengths[p]) die(name);
    }
  }
  fclose(file);
}

static int bind_port(int port, int size) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  return fd;
}

static void read_legs(const char *name, int epoll) {
  FILE *file = fopen(name, "r");
  int local, remote, phase, probe;
  unsigned track;
  if (!file) die(name);
  while (leg_count < MAX_LEGS && fscanf(file, "%d %d %u %d %d", &local, &remote, &track, &phase, &probe) == 5) {
    struct leg *leg = &legs[leg_count];
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = leg_count };
    leg->fd = bind_port(local, 1 << 17);
    leg->rtcp = bind_port(local + 1, 4096);
    leg->probe = probe;
    leg->track = track;
    leg->due = phase * 1000LL;
    leg->to.sin_family = AF_INET;
    leg->to.sin_port = htons(remote);
    leg->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, leg->fd, &event) < 0) die("epoll_ctl");
    if (remote) heap[senders++] = leg_count;
    leg_count++;
  }
  fclose(file);
}

static int by_due(const void *a, const void *b) {
  int64_t x = legs[*(const int *)a].due, y = legs[*(const int *)b].due;
  return (x > y) - (x < y);
}

static void make_mu_law(void) {
  for (int code = 0; code < 256; code++) {
    int bits = ~code & 0xff;
    int size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
    mu_law[code] = bits & 0x80 ? -size : size;
  }
}

/* Nanoseconds from the start of a packet to the click in it; −1: none. */
static int64_t find_click(const uint8_t *packet, int length) {
  for (int i = 12; i < length; i++) {
    int value = mu_law[packet[i]];
    if (value > CLICK_LEVEL || value < -CLICK_LEVEL) return (i - 12) * 125000LL;
  }
  return -1;
}

static void note_click(int leg, int out, int64_t at) {
  if (click_count < MAX_CLICKS) clicks[click_count++] = (struct click){ leg, out, at };
}

static void send_one(struct leg *leg, int64_t start, int measuring) {
  struct track *track = &tracks[leg->track];
  const uint8_t *data = track->data[leg->next];
  int length = track->lengths[leg->next];
  int64_t behind = now_ns(CLOCK_MONOTONIC) - start - leg->due;
  if (leg->probe && measuring) {
    int64_t offset = find_click(data, length);
    /* A packet is sent when its last sample was heard: the click itself is older than the packet. */
    if (offset >= 0) note_click(leg - legs, 1, now_ns(CLOCK_REALTIME) + offset);
  }
  if (sendto(leg->fd, data, length, 0, (struct sockaddr *)&leg->to, sizeof leg->to) < 0) {
    if (measuring) send_errors++;
  } else if (measuring) {
    leg->sent++;
  }
  if (measuring) {
    int64_t us = behind / 1000;
    late[us < LATE_BUCKETS ? us : LATE_BUCKETS - 1]++;
    late_count++;
    if (behind > late_max) late_max = behind;
  }
  leg->next = (leg->next + 1) % track->packets;
  leg->due += FRAME_NS;
}

static void note_arrival(struct leg *leg, const uint8_t *data, int length, int64_t at, int measuring) {
  int type;
  if (length < 12) return;
  type = data[1] & 0x7f;
  if (type >= 72 && type <= 76) return; /* RTCP on the same port */
  if (leg->last_arrival && measuring) {
    int64_t gap = at - leg->last_arrival;
    if (gap > GAP_NS) leg->gaps++;
    if (gap > longest_gap) longest_gap = gap;
  }
  leg->last_arrival = at;
  uint16_t sequence = data[2] << 8 | data[3];
  if (measuring) {
    leg->received++;
    if (leg->have_sequence) {
      int16_t step = sequence - leg->sequence;
      if (step > 1) leg->lost += step - 1;
    }
  } else {
    leg->received_early++;
  }
  leg->have_sequence = 1;
  leg->sequence = sequence;
  if (leg->probe && measuring) {
    int64_t offset = find_click(data, length);
    if (offset >= 0 && at - leg->last_click_in > CLICK_APART_NS) {
      leg->last_click_in = at;
      note_click(leg - legs, 0, at + offset);
    }
  }
}

#define BATCH 8
static void receive(struct leg *leg, int measuring) {
  static uint8_t data[BATCH][2048], control[BATCH][128];
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){ data[i], sizeof data[i] };
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = sizeof control[i];
  }
  int count = recvmmsg(leg->fd, messages, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    struct cmsghdr *part = CMSG_FIRSTHDR(&messages[i].msg_hdr);
    int64_t at = 0;
    if (part && part->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec t;
      memcpy(&t, CMSG_DATA(part), sizeof t);
      at = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
    note_arrival(leg, data[i], messages[i].msg_len, at, measuring);
  }
}

static double late_share(double share) {
  int64_t wanted = late_count * share, seen = 0;
  for (int us = 0; us < LATE_BUCKETS; us++) {
    seen += late[us];
    if (seen > wanted) return us / 1000.0;
  }
  return 0;
}

static void report(double seconds) {
  struct rusage usage;
  int64_t sent = 0, received = 0, lost = 0, gaps = 0, least = INT64_MAX, most = 0, silent = 0;
  for (int i = 0; i < leg_count; i++) {
    struct leg *leg = &legs[i];
    sent += leg->sent;
    received += leg->received;
    lost += leg->lost;
    gaps += leg->gaps;
    if (leg->received < least) least = leg->received;
    if (leg->received > most) most = leg->received;
    if (leg->received + leg->received_early == 0) silent++;
  }
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"seconds\":%.3f,\"legs\":%d,\"sent\":%lld,\"sendErrors\":%lld,\"received\":%lld,\"lost\":%lld,\"gaps\":%lld,"
         "\"longestGapMs\":%.1f,\"silentLegs\":%lld,\"leastPerSecond\":%.2f,\"mostPerSecond\":%.2f,",
         seconds, leg_count, (long long)sent, (long long)send_errors, (long long)received, (long long)lost,
         (long long)gaps, longest_gap / 1e6, (long long)silent, least / seconds, most / seconds);
  printf("\"lateMs\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},\"cpuSeconds\":%.2f,\"clicks\":[", late_share(0.5), late_share(0.99),
         late_max / 1e6,
         usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  for (int i = 0; i < click_count; i++)
    printf("%s[%d,%d,%lld]", i ? "," : "", clicks[i].leg, clicks[i].out, (long long)(clicks[i].at_ns / 1000));
  printf("]}\n");
}

int main(int argc, char **argv) {
  struct epoll_event events[64];
  char line[16];
  int epoll = epoll_create1(0), first = 0, measuring = 0;
  if (argc < 4) return fprintf(stderr, "rtp-load TRACKS LEGS SECONDS [SETTLE]\n"), 2;
  int64_t length = atof(argv[3]) * 1e9, settle = argc > 4 ? atof(argv[4]) * 1e9 : 0;
  /* Both fail without rights, and the figures tell. */
  prctl(PR_SET_TIMERSLACK, 1000);
  setpriority(PRIO_PROCESS, 0, -15);
  make_mu_law();
  read_tracks(argv[1]);
  read_legs(argv[2], epoll);
  qsort(heap, senders, sizeof *heap, by_due);
  printf("ready\n");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 1;
  int64_t start = now_ns(CLOCK_MONOTONIC) + FRAME_NS;
  /* All legs share one period, so the order of the first round is the order of all. */
  for (;;) {
    int64_t now = now_ns(CLOCK_MONOTONIC) - start;
    if (now >= length) break;
    if (!measuring && now >= settle) {
      measuring = 1;
      printf("measuring\n");
      fflush(stdout);
    }
    /* What is owed, but never so much at once that nothing is received meanwhile. */
    for (int sent = 0; senders && sent < SEND_AT_ONCE && legs[heap[first]].due <= now; sent++) {
      send_one(&legs[heap[first]], start, measuring);
      first = (first + 1) % senders;
      now = now_ns(CLOCK_MONOTONIC) - start;
    }
    int count = epoll_wait(epoll, events, 64, 0);
    for (int i = 0; i < count; i++) receive(&legs[events[i].data.u32], measuring);
    if (count > 0) continue;
    int64_t until = senders ? legs[heap[first]].due : now + IDLE_NS;
    if (until > now + IDLE_NS) until = now + IDLE_NS;
    until += start;
    struct timespec wake = { until / 1000000000LL, until % 1000000000LL };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
  }
  report((length - settle) / 1e9);
  return 0;
}
