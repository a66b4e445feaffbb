-- One prompt and what came of it. Times are milliseconds since 1970 (UTC), costs are in units of 10^-12 dollars, so that
-- sums are exact. `ended` is NULL while a run goes on, and for ever where it was killed: then the figures are what was
-- estimated before it was sent.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started INTEGER NOT NULL,
  ended INTEGER,
  prompt TEXT NOT NULL,
  layer TEXT NOT NULL,
  digest TEXT NOT NULL,
  revision TEXT,
  asked TEXT NOT NULL,       -- PROVIDER:MODEL that was to answer
  provider TEXT NOT NULL,    -- who answered, or was asked last
  model TEXT NOT NULL,
  finish TEXT,
  error TEXT,                -- the name of the exit status; NULL where all is well
  reason TEXT,
  message TEXT,
  input_tokens INTEGER,      -- inclusive, as in Usage; NULL where nobody knows
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens INTEGER,
  estimated INTEGER NOT NULL, -- 1 where the tokens are an estimate
  cost INTEGER,              -- NULL where it is unpriced
  reported INTEGER NOT NULL, -- 1 where the provider itself said what it costs
  seconds REAL,
  first_token REAL,          -- seconds to the first event of the answer
  key_source TEXT,
  arguments TEXT,            -- JSON; these two are texts, and are dropped with them
  options TEXT
) STRICT;
CREATE INDEX runs_started ON runs (started);
CREATE INDEX runs_prompt ON runs (prompt, started);
CREATE INDEX runs_failed ON runs (started) WHERE error IS NOT NULL;
CREATE INDEX runs_with_texts ON runs (started) WHERE arguments IS NOT NULL;

CREATE TABLE attempts (
  run INTEGER NOT NULL REFERENCES runs (id),
  number INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  key_source TEXT NOT NULL,
  status INTEGER NOT NULL,   -- HTTP; 0 where none came
  error TEXT NOT NULL,       -- '' on success
  seconds REAL NOT NULL,
  first_token REAL,
  sent INTEGER NOT NULL,     -- 0 where no connection came about
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- What was said: the parts of the messages in their order, and then the answer, whose role is 'answer'.
CREATE TABLE parts (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  message INTEGER NOT NULL,
  role TEXT NOT NULL,
  kind TEXT NOT NULL,        -- text, image, file
  text TEXT,
  media_type TEXT,
  name TEXT,
  data BLOB                  -- NULL where it was too large to keep
) STRICT;
CREATE INDEX parts_run ON parts (run);
