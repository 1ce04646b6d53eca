INSERT INTO revisions VALUES (1, 'ann', '2026-01-02 03:04:05', 'first', 2, NULL);
INSERT INTO revisions VALUES (2, 'bob', '2026-01-03 03:04:05', '', 1, NULL);
INSERT INTO object_versions VALUES ('api', 'pets/1.0', 1, '{"name":"pets","version":"1.0","type":"rest","native":"http://127.0.0.1:9101"}', FALSE);
INSERT INTO object_versions VALUES ('application', 'web', 1, '{"name":"web","javascript_origins":["https://web.example"],"apis":["pets/1.0"]}', TRUE);
INSERT INTO object_versions VALUES ('api', 'pets/1.0', 2, '{"name":"pets","version":"1.0","type":"rest","native":"http://127.0.0.1:9101","cors":{"allowed_origins":["https://a.example"],"allowed_methods":["GET"]}}', TRUE);
INSERT INTO outcomes VALUES (1, 'n1', 'applied', '2026-01-02 03:04:06', NULL);
INSERT INTO tokens VALUES ('0123', 'ci', 'editor', '2026-01-02 03:04:05', NULL, NULL, NULL);
UPDATE head SET revision = 2
