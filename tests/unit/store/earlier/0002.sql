INSERT INTO revisions VALUES (1, 'ann', '2026-01-02 03:04:05', 'first', 4, NULL);
INSERT INTO revisions VALUES (2, 'bob', '2026-01-03 03:04:05', '', 3, NULL);
INSERT INTO revisions VALUES (3, 'ann', '2026-01-04 03:04:05', 'back', 1, 1);
INSERT INTO object_versions VALUES ('gateway', 'gateway', 1, '{"listen":"127.0.0.1:8443","public_origins":["https://own.example"]}', TRUE);
INSERT INTO object_versions VALUES ('api', 'pets/1.0', 1, '{"name":"pets","version":"1.0","type":"rest","native":"http://127.0.0.1:9101"}', FALSE);
INSERT INTO object_versions VALUES ('api', 'shop/1.0', 1, '{"name":"shop","version":"1.0","type":"rest","native":"http://127.0.0.1:9102"}', FALSE);
INSERT INTO object_versions VALUES ('application', 'web', 1, '{"name":"web","javascript_origins":["https://web.example"],"apis":["pets/1.0"]}', TRUE);
INSERT INTO object_versions VALUES ('api', 'pets/1.0', 2, '{"name":"pets","version":"1.0","type":"rest","native":"http://127.0.0.1:9101","cors":{"allowed_origins":["https://a.example",{"regex":"https://r[0-9]+\\.example"}],"allowed_methods":["GET"]}}', TRUE);
INSERT INTO object_versions VALUES ('api', 'shop/1.0', 2, NULL, FALSE);
INSERT INTO object_versions VALUES ('settings', 'settings', 2, '{"watt.server.cors.enabled":true,"watt.server.cors.allowedOrigins":"https://s.example"}', TRUE);
INSERT INTO object_versions VALUES ('api', 'shop/1.0', 3, '{"name":"shop","version":"1.0","type":"rest","native":"http://127.0.0.1:9102"}', TRUE);
INSERT INTO outcomes VALUES (1, 'n1', 'applied', '2026-01-02 03:04:06', NULL);
INSERT INTO outcomes VALUES (2, 'n1', 'rejected', '2026-01-03 03:04:06', 'why');
INSERT INTO tokens VALUES ('0123', 'ci', 'editor', '2026-01-02 03:04:05', NULL, NULL, NULL, 'pets shop-*');
INSERT INTO tokens VALUES ('4567', 'old', 'admin', '2026-01-02 03:04:06', '2026-02-02 03:04:05', '2026-01-05 03:04:05', '2026-01-06 03:04:05', NULL);
UPDATE head SET revision = 3
