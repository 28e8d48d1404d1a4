/* A plugin of qemu's code generator: counts the guest's instructions between marks; a mark is a call of getppid.

   The declarations are those it needs of qemu's interface (include/qemu/qemu-plugin.h, version 1), whose header Debian
   does not package. No C library, so that it loads into any qemu. The guest must have a single thread. */

#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_info { const char *target_name; }; /* more members follow */

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t add);
extern void qemu_plugin_register_vcpu_syscall_cb(
    uint64_t id, void (*cb)(uint64_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t));
extern uintptr_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern void qemu_plugin_outs(const char *text);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t executed, before;
static int64_t mark;

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    qemu_plugin_register_vcpu_tb_exec_inline(tb, 0 /* add */, &executed, qemu_plugin_tb_n_insns(tb));
}

static void called(uint64_t id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    char text[22], *digit = text + sizeof text;
    uint64_t between = executed - before;

    if (number != mark)
        return;
    *--digit = 0;
    *--digit = '\n';
    do
        *--digit = (char)('0' + between % 10);
    while (between /= 10);
    qemu_plugin_outs(digit);
    before = executed;
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
                                                               char **argv)
{
    mark = info->target_name[3] ? 173 : 64; /* getppid on "aarch64" and "arm" */
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
