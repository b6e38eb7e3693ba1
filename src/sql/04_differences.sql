-- What verifications have found. Goes with its run; not dumped.
CREATE TABLE etl.difference (
    difference_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id        bigint NOT NULL REFERENCES etl.run ON DELETE CASCADE,
    task_no       integer NOT NULL,
    lid           bigint,
    column_name   text,
    mart_value    text,
    source_value  text
);
CREATE INDEX difference_run ON etl.difference (run_id);
COMMENT ON TABLE etl.difference IS 'Differences between marts and their sources that verifications have found';
COMMENT ON COLUMN etl.difference.difference_id IS 'Number of the difference';
COMMENT ON COLUMN etl.difference.run_id IS 'Run that found it';
COMMENT ON COLUMN etl.difference.task_no IS 'Task that found it, which has the portal and the range';
COMMENT ON COLUMN etl.difference.lid IS 'Listing; NULL where it is of the range as a whole';
COMMENT ON COLUMN etl.difference.column_name IS 'Column; NULL where it is of whole rows';
COMMENT ON COLUMN etl.difference.mart_value IS 'What the mart has, as text; NULL for no value or no row';
COMMENT ON COLUMN etl.difference.source_value IS 'What the source view gives, as text; NULL for no value or no row';
