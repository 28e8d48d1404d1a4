/* Read pictures of digits and answer in lines of JSON, as mnist-edge-runtime classify --jsonl does. */
#include "program.h"
#include "network.h"
#include "network_prepare.h"
#include "contract.h" /* labels, scales and names of this file; bundle writes it */

#include <errno.h>
#include <math.h>
#include <string.h>

static const char *const labels[NETWORK_CLASSES] = LABELS;
static Picture picture;
static uint8_t work[NETWORK_PREPARE_WORK];
static uint8_t image[NETWORK_PIXELS];
static int has_failed;

char problem[512];

static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') printf("\\%c", byte);
        else if (byte < ' ') printf("\\u%04x", byte);
        else putchar(byte);
    }
    putchar('"');
}

static void begin(const char *name, const char *id) {
    fputs("{\"file\": ", stdout);
    print_string(name);
    if (id[0]) printf(", \"id\": %s", id);
}

static void failed(const char *name, const char *id) {
    char told[NAME_BYTES + sizeof problem];
    snprintf(told, sizeof told, "%s: %s", name, problem);
    fprintf(stderr, "error: %s\n", told);
    begin(name, id);
    fputs(", \"error\": ", stdout);
    print_string(told);
    puts("}");
    fflush(stdout);
    has_failed = 1;
}

/* Return the largest probability of logits at a temperature; write all of them where `all` is given. */
static double softmax(const uint8_t *logits, double temperature, double *all) {
    double sum = 0;
    int largest = logits[network_largest(logits)], i;
    for (i = 0; i < NETWORK_CLASSES; i++) sum += exp((logits[i] - largest) * SCALE / temperature);
    for (i = 0; all && i < NETWORK_CLASSES; i++) all[i] = exp((logits[i] - largest) * SCALE / temperature) / sum;
    return 1 / sum;
}

static void answer(const char *name, const char *id) {
    double probabilities[NETWORK_CLASSES], confidence;
    uint8_t logits[NETWORK_CLASSES];
    int is_blank = network_prepare(picture.pixels, picture.width, picture.height, work, image), i;
    begin(name, id);
    if (is_blank) {
        puts(", \"label\": null, \"confidence\": 0.0, \"probabilities\": null, \"accepted\": false, "
             "\"reason\": \"the picture is blank: no ink was found\"}");
    } else {
        network_logits(image, logits);
        confidence = softmax(logits, TEMPERATURE, probabilities);
        printf(", \"label\": %s, \"confidence\": %.9g, \"probabilities\": [", labels[network_largest(logits)], confidence);
        for (i = 0; i < NETWORK_CLASSES; i++) printf(i ? ", %.9g" : "%.9g", probabilities[i]);
        if (network_accepted(logits)) {
            puts("], \"accepted\": true, \"reason\": null}");
        } else {
            double score = softmax(logits, SOFT_TEMPERATURE, 0);
            printf("], \"accepted\": false, \"reason\": \"its score is %.3f, accepted from %.3f\"}\n", score, THRESHOLD);
        }
    }
    fflush(stdout);
}

static void classify_file(const char *name, const char *id) {
    FILE *file = fopen(name, "rb");
    int is_read = 0;
    if (!file) {
        snprintf(problem, sizeof problem, "%s", strerror(errno));
    } else {
        if (getc(file) == 'P') is_read = read_pgm(file, &picture);
        else snprintf(problem, sizeof problem, "no PGM, which is all that this program reads");
        fclose(file);
    }
    if (is_read) answer(name, id);
    else failed(name, id);
}

static void classify_lines(void) {
    static Line line;
    char name[32];
    long number;
    int kind;
    for (number = 1; (kind = read_line(stdin, &line, &picture)) >= 0; number++) {
        if (kind == 2) continue;
        snprintf(name, sizeof name, "-:%ld", number);
        if (kind == 0) failed(name, line.id);
        else if (line.has_file) classify_file(line.file, line.id);
        else answer(name, line.id);
    }
}

static void classify_stdin(void) {
    int first = getc(stdin);
    while (first == ' ' || first == '\t' || first == '\r' || first == '\n') first = getc(stdin);
    if (first == '{') {
        ungetc(first, stdin);
        classify_lines();
    } else if (first == 'P') {
        if (read_pgm(stdin, &picture)) answer("-:1", "");
        else failed("-:1", "");
    } else {
        snprintf(
            problem, sizeof problem, "stdin %s; expected a PGM, or lines such as {\"pixels\": [[0, 255], [255, 0]]}",
            first == EOF ? "is empty" : "holds neither a PGM nor lines of JSON"
        );
        failed("-:1", "");
    }
}

static int usage(const char *program, FILE *to) {
    fprintf(
        to,
        "usage: %s FILE... | -\n"
        "       %s --selftest\n\n"
        "Read pictures of one digit each, %s, and print a JSON document for each.\n"
        "FILE is a PGM (P2 or P5) of at most 320 x 240 pixels. - is stdin: a PGM, or JSON lines such as\n"
        "{\"file\": \"a.pgm\"} or {\"pixels\": [[0, 255], [255, 0]]}, with an \"id\" of your own if you like.\n"
        "--selftest answers the golden images, which must get the logits that the model was proven with.\n"
        "Exit codes: 0 done, 2 usage, 3 a picture cannot be read, 5 the self-test failed.\n"
        "Model: SHA-256 " MODEL_SHA256 "\nWritten by mnist-edge " VERSION "\n",
        program, program, MODEL
    );
    return to == stdout ? 0 : 2;
}

int main(int count, char **arguments) {
    int i;
    if (count < 2) return usage(arguments[0], stderr);
    if (!strcmp(arguments[1], "--help") || !strcmp(arguments[1], "-h")) return usage(arguments[0], stdout);
    if (!strcmp(arguments[1], "--selftest") && count == 2) {
        int wrong = network_selftest();
        printf(
            "{\"model\": \"%s\", \"passed\": %s, \"wrong_logits\": %d}\n", MODEL, wrong ? "false" : "true", wrong
        );
        return wrong ? 5 : 0;
    }
    for (i = 1; i < count; i++) {
        if (arguments[i][0] == '-' && arguments[i][1]) {
            fprintf(stderr, "error: unknown option %s\n", arguments[i]);
            return usage(arguments[0], stderr);
        }
    }
    for (i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "-")) classify_stdin();
        else classify_file(arguments[i], "");
    }
    return has_failed ? 3 : 0;
}
