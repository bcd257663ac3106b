/* SPDX-License-Identifier: BSD-2-Clause
 *
 * corpus_main - runs the corpus of a fuzz target as an ordinary test
 *
 * Stands in for libFuzzer's main. Arguments are files and folders of inputs;
 * without any it is $MFX_SRCDIR/t/fuzz/corpus/NAME for the program fuzz_NAME.
 * Each file is tried whole and cut short at up to PREFIXES places, from heap
 * memory of exactly its size, so that a sanitizer sees each byte read past it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <mfx/base/str.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PREFIXES = 64,
};

struct tap {
    size_t count, failed;
};

static void
report(struct tap *tap, bool ok, const char *path, const char *why)
{
    tap->count++;
    tap->failed += !ok;
    printf("%s %zu - %s%s%s\n", ok ? "ok" : "not ok", tap->count, path,
           why == NULL ? "" : ": ", why == NULL ? "" : why);
    fflush(stdout);
}

static bool
try_bytes(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = calloc(size == 0 ? 1 : size, 1);
    if (copy == NULL)
        return false;
    if (size > 0)
        memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return true;
}

/* NULL with errno set when it cannot be read. */
static uint8_t *
read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    long len = -1;
    if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) >= 0)
        bytes = malloc((size_t)len + 1);
    rewind(file);
    if (bytes != NULL && fread(bytes, 1, (size_t)len, file) != (size_t)len) {
        free(bytes);
        bytes = NULL;
    }
    *size = (size_t)len;
    fclose(file);
    return bytes;
}

static void
run_file(struct tap *tap, const char *path)
{
    size_t size = 0;
    uint8_t *bytes = read_whole(path, &size);
    if (bytes == NULL) {
        report(tap, false, path, strerror(errno));
        return;
    }
    bool ok = try_bytes(bytes, size);
    size_t step = size / PREFIXES + 1;
    for (size_t cut = 0; cut < size && ok; cut += step)
        ok = try_bytes(bytes, cut);
    report(tap, ok, path, ok ? NULL : "out of memory");
    free(bytes);
}

static void run_path(struct tap *tap, const char *path);

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void
run_folder(struct tap *tap, const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_visible, alphasort);
    if (count <= 0)
        report(tap, false, folder, count == 0 ? "empty" : strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", folder, names[i]->d_name) < 0)
            abort();
        run_path(tap, path);
        free(path);
        free(names[i]);
    }
    free(names);
}

static void
run_path(struct tap *tap, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        run_folder(tap, path);
    else
        run_file(tap, path);
}

static void
run_own_folder(struct tap *tap, const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;
    const char *source = getenv("MFX_SRCDIR");
    const char *own = strstr(name, "fuzz_");
    char *path = NULL;
    if (asprintf(&path, "%s/t/fuzz/corpus/%s", source == NULL ? "." : source,
                 own == NULL ? name : own + strlen("fuzz_")) < 0)
        abort();
    run_path(tap, path);
    free(path);
}

int
main(int argc, char **argv)
{
    struct tap tap = {0};
    report(&tap, try_bytes(NULL, 0), "no input", NULL);
    for (int i = 1; i < argc; i++)
        run_path(&tap, argv[i]);
    if (argc <= 1)
        run_own_folder(&tap, argv[0]);
    printf("1..%zu\n", tap.count);
    return tap.failed == 0 ? 0 : 1;
}
