PRAGMA journal_mode = DELETE;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, weight REAL, body BLOB);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO item SELECT i, printf('item %05d', i * 7919 % 3001), i / 7.0, zeroblob(i % 97) FROM n;
CREATE INDEX item_by_name ON item (name);
BEGIN;
UPDATE item SET weight = weight * 2 WHERE id % 3 = 0;
DELETE FROM item WHERE id % 10 = 0;
COMMIT;
BEGIN;
DELETE FROM item;
ROLLBACK;
VACUUM;
PRAGMA integrity_check;
SELECT count(*), sum(length(body)), round(sum(weight), 3) FROM item;
SELECT name FROM item ORDER BY name LIMIT 3;
