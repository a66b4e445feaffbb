-- The words of what was said, kept in step by the database itself.
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'parts', content_rowid = 'id');
CREATE TRIGGER parts_added AFTER INSERT ON parts BEGIN
  INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER parts_removed AFTER DELETE ON parts BEGIN
  INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
