/* The program that runs an exported network on an emulated chip: it starts, answers images, and counts.
 *
 * Compiled with -include NAME.h, -DNETWORK=NAME and -DCLASSES=...; with -DSMALLEST it answers one image and does nothing
 * else, so that its size is that of the network. Files are those of the folder that qemu was started in, by
 * semihosting: "images" is read, "logits" and "report" are written. The report is four words of 32 bits or two of 64:
 * wrong logits of the self-test, bytes of stack; then the ticks of all images, and those of a loop of LOOP instructions,
 * so that a tick's length needs not be known. */
#include <stdint.h>

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

static uint8_t image[784];
static uint8_t logits[CLASSES];

#ifdef SMALLEST

int main(void) {
    JOIN(NETWORK, logits)(image, logits);
    for (;;) {
    }
}

#else

#define LOOP 1000000u
#define PAINTED 4096            /* bytes of stack that are looked at */
#define PAINT 0xA5u

extern char _end;               /* of static RAM; from the linker script */

enum { OPEN = 1, WRITE = 5, READ = 6, EXIT = 0x20 };  /* calls of semihosting */
enum { READ_BINARY = 1, WRITE_BINARY = 5 };

#ifdef __riscv

static long call(long operation, const void *arguments) {
    register long result __asm__("a0") = operation;
    register const void *given __asm__("a1") = arguments;
    __asm__ volatile(".option push\n.option norvc\n.balign 16\nslli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
                     : "+r"(result) : "r"(given) : "memory");
    return result;
}

static void start_ticks(void) {
}

static uint32_t ticks(void) {
    uint32_t now;
    __asm__ volatile("csrr %0, minstret" : "=r"(now));
    return now;
}

static char *stack(void) {
    char *now;
    __asm__ volatile("mv %0, sp" : "=r"(now));
    return now;
}

static void loop(void) {
    uint32_t left = LOOP / 2;
    __asm__ volatile("1: addi %0, %0, -1\nbnez %0, 1b" : "+r"(left));
}

#define TICK_MASK 0xFFFFFFFFu

#else

static long call(long operation, const void *arguments) {
    register long result __asm__("r0") = operation;
    register const void *given __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(result) : "r"(given) : "memory");
    return result;
}

#define SYSTICK ((volatile uint32_t *)0xE000E010)
#define TICK_MASK 0xFFFFFFu      /* SysTick counts down in 24 bits */

static void start_ticks(void) {
    SYSTICK[1] = TICK_MASK;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
}

static uint32_t ticks(void) {
    return TICK_MASK - SYSTICK[2];
}

static char *stack(void) {
    char *now;
    __asm__ volatile("mov %0, sp" : "=r"(now));
    return now;
}

static void loop(void) {
    uint32_t left = LOOP / 2;
    __asm__ volatile("1: subs %0, %0, #1\nbne 1b" : "+r"(left) : : "cc");
}

#endif

static long open(const char *name, long length, long mode) {
    struct {
        const char *name;
        long mode, length;
    } given = {name, mode, length};
    return call(OPEN, &given);
}

/* Read or write all bytes; return how many were not. */
static long transfer(long operation, long file, void *data, long size) {
    struct {
        long file;
        void *data;
        long size;
    } given = {file, data, size};
    return call(operation, &given);
}

static struct {
    uint32_t wrong, stack;
    uint64_t ticks, loop;
} report;

/* Return the lowest place of the stack that is looked at, when main's frame ends at `top`. */
static volatile uint8_t *bottom_of(volatile uint8_t *top) {
    volatile uint8_t *bottom = top - PAINTED, *end = (volatile uint8_t *)&_end;
    return bottom < end ? end : bottom;
}

int main(void) {
    long images = open("images", 6, READ_BINARY), answers = open("logits", 6, WRITE_BINARY), told;
    volatile uint8_t *top = (volatile uint8_t *)stack(), *deepest;
    uint32_t before;
    report.wrong = (uint32_t)JOIN(NETWORK, selftest)();
    start_ticks();
    before = ticks();
    loop();
    report.loop = (ticks() - before) & TICK_MASK;
    for (deepest = bottom_of(top); deepest < top; deepest++) *deepest = PAINT;
    while (transfer(READ, images, image, sizeof image) == 0) {
        before = ticks();
        JOIN(NETWORK, logits)(image, logits);
        report.ticks += (ticks() - before) & TICK_MASK;
        transfer(WRITE, answers, logits, sizeof logits);
    }
    for (deepest = bottom_of(top); deepest < top && *deepest == PAINT; deepest++) {
    }
    report.stack = (uint32_t)(top - deepest);
    told = open("report", 6, WRITE_BINARY);
    transfer(WRITE, told, &report, sizeof report);
    {
        struct {
            long reason, code;
        } done = {0x20026, 0};      /* ADP_Stopped_ApplicationExit */
        call(EXIT, &done);
    }
    for (;;) {
    }
}

#endif

#ifdef __riscv

__attribute__((naked, section(".start"))) void reset(void) {
    __asm__ volatile("la sp, _stack\ncall main");
}

#else

extern char _stack;

void reset(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;  /* CPACR: the compiler may use vector registers */
    __asm__ volatile("dsb\nisb");
#endif
    main();
}

__attribute__((section(".start"), used)) const void *const vectors[] = {&_stack, (const void *)reset};

#endif
