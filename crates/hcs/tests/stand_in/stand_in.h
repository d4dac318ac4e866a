/*
 * What both stand-ins share: handles that are numbers, callbacks on threads of their own, counters, and strings that know
 * whether they were freed. A stand-in answers a few calls, as documents in the tests tell it, and is no service.
 *
 * The structures are declared here once more, in C, so that a C compiler judges the layouts that the Rust side uses.
 *
 * With QUICK they are for measuring: callbacks come from the pool of threads that is always there, texts are no longer than they must be,
 * and handles are used again, so that it can go on for ever. Nothing then finds a mistake of the caller.
 */
#include <windows.h>

#define EXPORT __declspec(dllexport)
#define SLOTS 65536

typedef struct {
    UINT32 systems, processes, callbacks, operations; /* open now */
    UINT32 bad_handles;                               /* calls with a handle that is not open */
    UINT32 strings;                                   /* handed out so far */
    UINT32 live_strings;                              /* of these, not freed */
    UINT32 freed_twice;
    UINT32 calls;                                     /* callbacks made so far */
} Counters;

typedef struct {
    UINT32 process_id, reserved;
    HANDLE input, output, error;
} ProcessInformation;
_Static_assert(sizeof(ProcessInformation) == 32, "HCS_PROCESS_INFORMATION has 32 bytes");

enum { KIND_NOTHING, KIND_SYSTEM, KIND_PROCESS, KIND_CALLBACK, KIND_OPERATION };

typedef struct {
    int kind, open;
    int parent;        /* of a callback: its system or process */
    void *function;    /* of a callback or an operation */
    void *context;
    int running;       /* callbacks that run now */
    int pending;       /* of a system: its creation is not told yet; 2 if it has failed */
    int state;         /* of an operation: 0 new, 1 runs, 2 has ended; of a system of v2: 2 has ended */
    int type;          /* of an operation */
    int manner;        /* of a system: how its start ends */
    HRESULT status;    /* how it ended */
    const wchar_t *text; /* with which document */
    ProcessInformation info;
    HANDLE kept;       /* the other end of a process's stdin */
    HANDLE silent;     /* the other end of the stdout of a process that writes nothing */
} Slot;

static Slot slots[SLOTS];
static int used;
static Counters counters;
static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;

static void *handle_of(int index) { return (void *)(UINT_PTR)(0x10000 + index * 16); }

static UINT32 *counter_of(int kind) {
    switch (kind) {
    case KIND_SYSTEM: return &counters.systems;
    case KIND_PROCESS: return &counters.processes;
    case KIND_CALLBACK: return &counters.callbacks;
    default: return &counters.operations;
    }
}

/* On a thread that is not the caller's. */
static void on_thread(DWORD(WINAPI *work)(void *), void *argument) {
#ifdef QUICK
    QueueUserWorkItem(work, argument, WT_EXECUTEDEFAULT);
#else
    HANDLE thread = CreateThread(NULL, 0, work, argument, 0, NULL);
    if (thread) CloseHandle(thread);
#endif
}

/* A new handle; its number is never used again, except where it is measured. Under the lock. */
static int open_slot(int kind) {
#ifdef QUICK
    for (int i = 0; i < used; ++i) {
        if (slots[i].open) continue;
        memset(&slots[i], 0, sizeof slots[i]);
        slots[i].kind = kind;
        slots[i].open = 1;
        ++*counter_of(kind);
        return i;
    }
#endif
    if (used == SLOTS) return -1;
    slots[used].kind = kind;
    slots[used].open = 1;
    ++*counter_of(kind);
    return used++;
}

/* Which slot a handle is for; -1 and a mark if it is not open. Under the lock. */
static int find_slot(void *handle, int kind) {
    UINT_PTR number = (UINT_PTR)handle - 0x10000;
    int index = (int)(number / 16);
    if (number % 16 == 0 && number / 16 < (UINT_PTR)used && slots[index].kind == kind && slots[index].open) return index;
    ++counters.bad_handles;
    return -1;
}

static int close_slot(void *handle, int kind) {
    int index = find_slot(handle, kind);
    if (index < 0) return -1;
    slots[index].open = 0;
    --*counter_of(kind);
    if (slots[index].kept) CloseHandle(slots[index].kept);
    if (slots[index].silent) CloseHandle(slots[index].silent);
    slots[index].kept = slots[index].silent = NULL;
    return index;
}

static wchar_t *copy_of(const wchar_t *text) {
    if (!text) return NULL;
    size_t bytes = (wcslen(text) + 1) * sizeof *text;
    wchar_t *copy = HeapAlloc(GetProcessHeap(), 0, bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

/* Frees a text after writing over it: who still reads it does not find it. */
static void forget(wchar_t *text) {
    if (!text) return;
    memset(text, 0x5A, wcslen(text) * sizeof *text);
    HeapFree(GetProcessHeap(), 0, text);
}

/* Streams are handed out once. Under the lock. */
static void take_streams(int process, ProcessInformation *out) {
    *out = slots[process].info;
    slots[process].info.input = slots[process].info.output = slots[process].info.error = NULL;
}

static int asks_for(const wchar_t *document, const wchar_t *word) { return document && wcsstr(document, word) != NULL; }

/* The streams of a new process: stdout says "hello" or stays open and says nothing, stdin goes nowhere, stderr is not there. Under the
 * lock. */
static void fill_streams(int process, const wchar_t *parameters) {
    HANDLE read, write;
    DWORD written;
    slots[process].info.process_id = 1000 + process;
    slots[process].info.error = INVALID_HANDLE_VALUE;
    if (CreatePipe(&read, &write, NULL, 0)) {
        if (asks_for(parameters, L"silent")) {
            slots[process].silent = write;
        } else {
            WriteFile(write, "hello", 5, &written, NULL);
            CloseHandle(write);
        }
        slots[process].info.output = read;
    }
    if (CreatePipe(&read, &write, NULL, 0)) {
        slots[process].info.input = write;
        slots[process].kept = read;
    }
}

/* How the start of a system ends, as its document says. */
enum { WELL, STUCK, CRASHES, DISCONNECTS, MISMATCHES, HANGS };

static int manner_of(const wchar_t *document) {
    static const wchar_t *const words[] = {L"well", L"stuck", L"crashes", L"disconnects", L"mismatches", L"hangs"};
    for (int i = 1; i < 6; ++i)
        if (asks_for(document, words[i])) return i;
    return WELL;
}

#define MISMATCH_DOCUMENT L"{\"Error\":-1070137087,\"ErrorMessage\":\"mismatch\",\"ErrorEvents\":[{\"Message\":\"build 1\",\"Provider\":\"17a2a92d-2eac-4b4e-a3d4-3b8a5a3b3b3b\"}]}"
#define CRASH_DOCUMENT L"{\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\"}"

static void counters_as_json(wchar_t *text) {
    wsprintfW(text, L"{\"Systems\":%u,\"Processes\":%u,\"Callbacks\":%u,\"Operations\":%u,\"BadHandles\":%u}",
              counters.systems, counters.processes, counters.callbacks, counters.operations, counters.bad_handles);
}
