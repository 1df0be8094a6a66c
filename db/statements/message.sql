-- The message log. Each statement is alone: it changes how its transaction commits, or holds locks
-- on whole tables until its end.

-- name: message_write alone
-- $1 a JSON array of rows, as message_insert of the schema names them. The same rows twice: once.
SELECT message_write($1::json);

-- name: message_forget alone
-- $1 days that rows are kept, $2 days that bodies are kept. Run by a timer, a few times a day.
SELECT message_forget($1::integer, $2::integer) AS dropped;
