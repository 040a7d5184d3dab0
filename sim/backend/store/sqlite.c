/* The sqlite driver.
 *
 *   append --insert, inside an open transaction--> waiting --flush, by a timer of now--> committed:
 * durable(revision)
 *
 * Invariants: a transaction is open exactly while `appended` > `durable`; the row with the greatest
 * id always stays, so the revision is never forgotten; after an error nothing is written any more.
 * Checkpoints of the log happen in a timer of their own, never inside a commit. */
#include "sim/backend/store/sqlite.h"

#include <sqlite3.h>

#include "core/base/error.h"
#include "core/object/json.h"

#define CHECKPOINT_PAGES 1000
#define SCHEMA_VERSION 1

typedef enum {
    STATEMENT_INSERT,
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_COMPACT,
    STATEMENT_COUNT
} Statement;

typedef struct SqliteDriver {
    StoreDriver base;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    Clock *clock;
    TimerId flush_timer, checkpoint_timer;
    int64_t appended, durable;
    GString *json;
    GError *failure;
} SqliteDriver;

static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_INSERT] =
        "INSERT INTO event (revision, bucket, key, value, create_revision, version, expires) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_COMPACT] = "DELETE FROM event WHERE revision <= ?1 AND id < (SELECT max(id) FROM "
                          "event) AND (value IS NULL OR "
                          "EXISTS (SELECT 1 FROM event AS newer WHERE newer.bucket = event.bucket "
                          "AND newer.key = event.key "
                          "AND newer.id > event.id))",
};

static bool
sqlite_fail(SqliteDriver *driver, GError **error, const char *what)
{
    return fail(error, TIMONEL_ERROR_IO, "%s: %s", what, sqlite3_errmsg(driver->db));
}

static bool
sqlite_run(SqliteDriver *driver, Statement statement, GError **error)
{
    sqlite3_stmt *prepared = driver->statements[statement];
    int result = sqlite3_step(prepared);

    sqlite3_reset(prepared);
    return result == SQLITE_DONE || result == SQLITE_ROW ||
           sqlite_fail(driver, error, "write the store");
}

/* ---- loading
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
load_row(sqlite3_stmt *row, StoreRecordFunc func, void *data, GError **error)
{
    const char *text = (const char *)sqlite3_column_text(row, 3);
    g_autoptr(Value) value = json_parse(text, (size_t)sqlite3_column_bytes(row, 3), error);
    StoreRecord record = {.bucket = (const char *)sqlite3_column_text(row, 1),
                          .key = (const char *)sqlite3_column_text(row, 2),
                          .value = value,
                          .revision = sqlite3_column_int64(row, 0),
                          .create_revision = sqlite3_column_int64(row, 4),
                          .version = sqlite3_column_int64(row, 5),
                          .expires_ns = sqlite3_column_int64(row, 6)};

    if (value == NULL) {
        g_prefix_error(error, "read %s/%s from the store: ", record.bucket, record.key);
        return false;
    }
    func(&record, data);
    return true;
}

static bool
sqlite_load_revision(SqliteDriver *driver, int64_t *ret_revision, GError **error)
{
    sqlite3_stmt *query = NULL;

    if (sqlite3_prepare_v2(driver->db, "SELECT coalesce(max(revision), 0) FROM event", -1, &query,
                           NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW) {
        sqlite3_finalize(query);
        return sqlite_fail(driver, error, "read the store's revision");
    }
    *ret_revision = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return true;
}

static bool
sqlite_load(StoreDriver *base, StoreRecordFunc func, void *data, int64_t *ret_revision,
            GError **error)
{
    SqliteDriver *driver = (SqliteDriver *)base;
    static const char *text =
        "SELECT revision, bucket, key, value, create_revision, version, expires FROM event WHERE "
        "id IN "
        "(SELECT max(id) FROM event GROUP BY bucket, key) AND value IS NOT NULL ORDER BY id";
    sqlite3_stmt *query = NULL;
    int result;
    bool ok = true;

    if (!sqlite_load_revision(driver, ret_revision, error))
        return false;
    if (sqlite3_prepare_v2(driver->db, text, -1, &query, NULL) != SQLITE_OK)
        return sqlite_fail(driver, error, "read the store");
    while (ok && (result = sqlite3_step(query)) == SQLITE_ROW)
        ok = load_row(query, func, data, error);
    if (ok && result != SQLITE_DONE)
        ok = sqlite_fail(driver, error, "read the store");
    sqlite3_finalize(query);
    driver->appended = driver->durable = *ret_revision;
    return ok;
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------------------
 */

static void
sqlite_flush(SqliteDriver *driver)
{
    clock_cancel(driver->clock, &driver->flush_timer);
    if (driver->failure == NULL && driver->appended > driver->durable &&
        sqlite_run(driver, STATEMENT_COMMIT, &driver->failure))
        driver->durable = driver->appended;
    driver->base.durable(driver->durable, driver->failure, driver->base.durable_data);
}

static void
sqlite_flush_later(void *data)
{
    SqliteDriver *driver = data;

    driver->flush_timer = 0;
    sqlite_flush(driver);
}

static void
sqlite_checkpoint(void *data)
{
    SqliteDriver *driver = data;

    driver->checkpoint_timer = 0;
    if (driver->appended == driver->durable)
        sqlite3_wal_checkpoint_v2(driver->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    else
        driver->checkpoint_timer =
            clock_timer_in(driver->clock, NS_PER_MS, sqlite_checkpoint, driver);
}

static int
sqlite_log_grew(void *data, sqlite3 *db, const char *name, int pages)
{
    SqliteDriver *driver = data;

    if (pages >= CHECKPOINT_PAGES && driver->checkpoint_timer == 0)
        driver->checkpoint_timer =
            clock_timer_in(driver->clock, NS_PER_MS, sqlite_checkpoint, driver);
    return SQLITE_OK;
}

static bool
sqlite_insert(SqliteDriver *driver, const StoreRecord *record)
{
    sqlite3_stmt *insert = driver->statements[STATEMENT_INSERT];

    sqlite3_bind_int64(insert, 1, record->revision);
    sqlite3_bind_text(insert, 2, record->bucket, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, record->key, -1, SQLITE_STATIC);
    if (record->value == NULL) {
        sqlite3_bind_null(insert, 4);
    } else {
        g_string_truncate(driver->json, 0);
        json_write(driver->json, record->value);
        sqlite3_bind_text(insert, 4, driver->json->str, (int)driver->json->len, SQLITE_STATIC);
    }
    sqlite3_bind_int64(insert, 5, record->create_revision);
    sqlite3_bind_int64(insert, 6, record->version);
    sqlite3_bind_int64(insert, 7, record->expires_ns);
    return sqlite_run(driver, STATEMENT_INSERT, &driver->failure);
}

static void
sqlite_append(StoreDriver *base, const StoreRecord *records, size_t n)
{
    SqliteDriver *driver = (SqliteDriver *)base;

    if (driver->failure == NULL && driver->appended == driver->durable)
        sqlite_run(driver, STATEMENT_BEGIN, &driver->failure);
    for (size_t i = 0; i < n && driver->failure == NULL; i++)
        sqlite_insert(driver, &records[i]);
    driver->appended = records[0].revision;
    if (driver->flush_timer == 0)
        driver->flush_timer = clock_timer_in(driver->clock, 0, sqlite_flush_later, driver);
}

static void
sqlite_compact(StoreDriver *base, int64_t revision)
{
    SqliteDriver *driver = (SqliteDriver *)base;

    if (driver->failure != NULL)
        return;
    if (driver->appended > driver->durable)
        sqlite_flush(driver);
    sqlite3_bind_int64(driver->statements[STATEMENT_COMPACT], 1, revision);
    sqlite_run(driver, STATEMENT_COMPACT, &driver->failure);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------------
 */

static void
sqlite_close(SqliteDriver *driver)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(driver->statements[i]);
    sqlite3_close(driver->db);
    g_string_free(driver->json, TRUE);
    g_clear_error(&driver->failure);
    g_free(driver);
}

static void
sqlite_free(StoreDriver *base)
{
    SqliteDriver *driver = (SqliteDriver *)base;

    if (driver->appended > driver->durable)
        sqlite_flush(driver);
    clock_cancel(driver->clock, &driver->flush_timer);
    clock_cancel(driver->clock, &driver->checkpoint_timer);
    sqlite_close(driver);
}

static bool
sqlite_check_version(SqliteDriver *driver, GError **error)
{
    sqlite3_stmt *query = NULL;
    int version;

    if (sqlite3_prepare_v2(driver->db, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW) {
        sqlite3_finalize(query);
        return sqlite_fail(driver, error, "open the store");
    }
    version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    if (version > SCHEMA_VERSION)
        return fail(error, TIMONEL_ERROR_UNSUPPORTED,
                    "the store is of version %d, which a newer program made; this one reads %d",
                    version, SCHEMA_VERSION);
    return true;
}

static bool
sqlite_open(SqliteDriver *driver, const char *path, GError **error)
{
    static const char *setup =
        "PRAGMA locking_mode = EXCLUSIVE;"
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA wal_autocheckpoint = 0;"
        "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, "
        "bucket TEXT NOT NULL, key TEXT NOT NULL, value TEXT, create_revision INTEGER, "
        "version INTEGER, expires INTEGER);"
        "CREATE INDEX IF NOT EXISTS event_key ON event (bucket, key, id);"
        "PRAGMA user_version = 1";

    if (sqlite3_open_v2(path, &driver->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        return sqlite_fail(driver, error, "open the store");
    if (!sqlite_check_version(driver, error))
        return false;
    if (sqlite3_exec(driver->db, setup, NULL, NULL, NULL) != SQLITE_OK) {
        if (sqlite3_errcode(driver->db) == SQLITE_BUSY)
            return fail(error, TIMONEL_ERROR_UNAVAILABLE, "another process has the store %s open",
                        path);
        return sqlite_fail(driver, error, "open the store");
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(driver->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &driver->statements[i], NULL) != SQLITE_OK)
            return sqlite_fail(driver, error, "open the store");
    sqlite3_wal_hook(driver->db, sqlite_log_grew, driver);
    return true;
}

StoreDriver *
store_driver_sqlite_new(const char *path, Clock *clock, GError **error)
{
    static const StoreDriverOps ops = {.load = sqlite_load,
                                       .append = sqlite_append,
                                       .compact = sqlite_compact,
                                       .free = sqlite_free};
    SqliteDriver *driver = g_new0(SqliteDriver, 1);

    driver->base.ops = &ops;
    driver->clock = clock;
    driver->json = g_string_new(NULL);
    if (!sqlite_open(driver, path, error)) {
        sqlite_close(driver);
        return NULL;
    }
    return &driver->base;
}
