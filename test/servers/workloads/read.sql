PRAGMA integrity_check;
SELECT count(*), sum(length(body)), round(sum(weight), 3) FROM item;
SELECT name FROM item ORDER BY name DESC LIMIT 3;
