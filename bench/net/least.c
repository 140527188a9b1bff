/* The least that the kernel takes for the tenants of bench/net: raw netlink, no interpreter, no file read.
 *
 *     cc -O2 -o /tmp/least bench/net/least.c -lpthread
 *     unshare --net --mount --propagation private sh -c \
 *         'mount -t tmpfs -o mode=755 none /run; ip link set lo up; /tmp/least 200'
 *
 * Says what share of a way's time is the kernel's own. Nothing is checked, nothing is undone: a failure
 * ends it, and the world it runs in goes with it. Not part of Isthmus.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 5000, THREADS = 2, BRIDGE = 50000, FIRST_PORT = 100, GROUP = 77, BATCH = 32 };

typedef struct {
    char bytes[65536];
    int length, count;
} Batch;

static int tenants, namespaces[MOST], sockets[MOST];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec * 1e-6;
}

/* ---- requests ---- */

static struct nlmsghdr *begin(Batch *batch, int type, int flags, const void *head, int length) {
    struct nlmsghdr *message = (void *)(batch->bytes + batch->length);
    memset(message, 0, sizeof *message);
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    message->nlmsg_len = NLMSG_LENGTH(length);
    memcpy(NLMSG_DATA(message), head, length);
    return message;
}

static struct rtattr *add(struct nlmsghdr *message, int type, const void *value, int length) {
    struct rtattr *attribute = (void *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(length);
    if (length)
        memcpy(RTA_DATA(attribute), value, length);
    message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + RTA_ALIGN(attribute->rta_len);
    return attribute;
}

static void add_number(struct nlmsghdr *message, int type, int value) { add(message, type, &value, 4); }

static void close_nest(struct nlmsghdr *message, struct rtattr *nest) {
    nest->rta_len = (char *)message + message->nlmsg_len - (char *)nest;
}

static void flush(int socket, Batch *batch) {
    char answers[65536];
    int answered = 0;
    if (batch->count && send(socket, batch->bytes, batch->length, 0) < 0)
        fail("send");
    while (answered < batch->count) {
        int length = recv(socket, answers, sizeof answers, 0);
        for (struct nlmsghdr *each = (void *)answers; NLMSG_OK(each, length); each = NLMSG_NEXT(each, length)) {
            errno = -((struct nlmsgerr *)NLMSG_DATA(each))->error;
            if (errno)
                fail("request");
            answered++;
        }
    }
    batch->length = batch->count = 0;
}

static void end(int socket, Batch *batch, struct nlmsghdr *message) {
    batch->length += NLMSG_ALIGN(message->nlmsg_len);
    if (++batch->count == BATCH)
        flush(socket, batch);
}

static int open_netlink(void) {
    int made = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1;
    setsockopt(made, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
    return made;
}

static void set_link(int socket, Batch *batch, int index, unsigned up, int master) {
    struct ifinfomsg head = {.ifi_index = index, .ifi_flags = up, .ifi_change = IFF_UP};
    struct nlmsghdr *message = begin(batch, RTM_SETLINK, 0, &head, sizeof head);
    if (master)
        add_number(message, IFLA_MASTER, master);
    end(socket, batch, message);
}

static void add_address(int socket, Batch *batch, int index, int family, const char *text, int prefix) {
    struct ifaddrmsg head = {family, prefix, family == AF_INET6 ? IFA_F_NODAD : 0, 0, index};
    struct nlmsghdr *message = begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    char address[16];
    inet_pton(family, text, address);
    add(message, IFA_LOCAL, address, family == AF_INET ? 4 : 16);
    add(message, IFA_ADDRESS, address, family == AF_INET ? 4 : 16);
    end(socket, batch, message);
}

static void add_pair(int socket, Batch *batch, int tenant) {
    struct ifinfomsg near = {.ifi_index = FIRST_PORT + tenant}, far = {.ifi_index = 2};
    struct nlmsghdr *message = begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &near, sizeof near);
    char name[16];
    add(message, IFLA_IFNAME, name, sprintf(name, "v%d", tenant) + 1);
    add_number(message, IFLA_GROUP, GROUP);
    add_number(message, IFLA_NUM_TX_QUEUES, 1);
    add_number(message, IFLA_NUM_RX_QUEUES, 1);
    struct rtattr *information = add(message, IFLA_LINKINFO, NULL, 0);
    add(message, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = add(message, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = add(message, VETH_INFO_PEER, NULL, 0);
    memcpy((char *)message + NLMSG_ALIGN(message->nlmsg_len), &far, sizeof far);
    message->nlmsg_len += sizeof far;
    add(message, IFLA_IFNAME, "eth0", 5);
    add_number(message, IFLA_NUM_TX_QUEUES, 1);
    add_number(message, IFLA_NUM_RX_QUEUES, 1);
    add_number(message, IFLA_NET_NS_FD, namespaces[tenant]);
    close_nest(message, peer);
    close_nest(message, data);
    close_nest(message, information);
    end(socket, batch, message);
}

/* ---- up ---- */

static void *make_namespaces(void *first) {
    for (int tenant = (long)first; tenant < tenants; tenant += THREADS) {
        char path[64];
        sprintf(path, "/run/netns/t%d", tenant);
        close(open(path, O_RDONLY | O_CREAT | O_EXCL, 0444));
        if (unshare(CLONE_NEWNET) || mount("/proc/thread-self/ns/net", path, "", MS_BIND, NULL))
            fail(path);
        namespaces[tenant] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        sockets[tenant] = open_netlink();
    }
    return NULL;
}

static void fill_namespace(Batch *batch, int tenant) {
    char text[64];
    struct rtmsg head = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                         .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
    set_link(sockets[tenant], batch, 1, IFF_UP, 0);
    set_link(sockets[tenant], batch, 2, IFF_UP, 0);
    sprintf(text, "10.77.%d.%d", 1 + tenant / 250, tenant % 250 + 1);
    add_address(sockets[tenant], batch, 2, AF_INET, text, 16);
    sprintf(text, "fd77::1:%x", tenant);
    add_address(sockets[tenant], batch, 2, AF_INET6, text, 64);
    struct nlmsghdr *message = begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    char gateway[4];
    inet_pton(AF_INET, "10.77.0.1", gateway);
    add(message, RTA_GATEWAY, gateway, 4);
    end(sockets[tenant], batch, message);
    flush(sockets[tenant], batch);
}

static void up(int socket, Batch *batch) {
    struct ifinfomsg head = {.ifi_index = BRIDGE};
    struct nlmsghdr *message = begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    add(message, IFLA_IFNAME, "bench0", 7);
    add_number(message, IFLA_GROUP, GROUP);
    struct rtattr *information = add(message, IFLA_LINKINFO, NULL, 0);
    add(message, IFLA_INFO_KIND, "bridge", 6);
    close_nest(message, information);
    end(socket, batch, message);
    add_address(socket, batch, BRIDGE, AF_INET, "10.77.0.1", 16);
    add_address(socket, batch, BRIDGE, AF_INET6, "fd77::1", 64);
    flush(socket, batch);

    pthread_t threads[THREADS];
    for (long first = 0; first < THREADS; first++)
        pthread_create(&threads[first], NULL, make_namespaces, (void *)first);
    for (int each = 0; each < THREADS; each++)
        pthread_join(threads[each], NULL);
    for (int tenant = 0; tenant < tenants; tenant++)
        add_pair(socket, batch, tenant);
    flush(socket, batch);
    for (int tenant = 0; tenant < tenants; tenant++)
        fill_namespace(batch, tenant);
    for (int tenant = 0; tenant < tenants; tenant++)
        set_link(socket, batch, FIRST_PORT + tenant, IFF_UP, BRIDGE);
    /* Last: a bridge that is up hands what each new end says to all ports. */
    set_link(socket, batch, BRIDGE, IFF_UP, 0);
    flush(socket, batch);
    for (int tenant = 0; tenant < tenants; tenant++) {
        close(sockets[tenant]);
        close(namespaces[tenant]);
    }
}

/* ---- down ---- */

static void *remove_namespaces(void *unused) {
    for (int tenant = 0; tenant < tenants; tenant++) {
        char path[64];
        sprintf(path, "/run/netns/t%d", tenant);
        umount2(path, MNT_DETACH);
        unlink(path);
    }
    return unused;
}

static void down(int socket, Batch *batch) {
    struct ifinfomsg head = {0};
    pthread_t thread;
    set_link(socket, batch, BRIDGE, 0, 0);
    flush(socket, batch);
    pthread_create(&thread, NULL, remove_namespaces, NULL);
    struct nlmsghdr *message = begin(batch, RTM_DELLINK, 0, &head, sizeof head);
    add_number(message, IFLA_GROUP, GROUP);
    end(socket, batch, message);
    flush(socket, batch);
    pthread_join(thread, NULL);
}

int main(int count, char **words) {
    static Batch batch;
    struct rlimit limit = {100000, 100000};
    tenants = count > 1 ? atoi(words[1]) : 200;
    if (tenants < 1 || tenants > MOST)
        fail("how many tenants?");
    setrlimit(RLIMIT_NOFILE, &limit);
    mkdir("/run/netns", 0755);
    double start = now();
    int socket = open_netlink();
    up(socket, &batch);
    double made = now();
    down(socket, &batch);
    printf("%d tenants: up %.0f ms, down %.0f ms\n", tenants, made - start, now() - made);
}
