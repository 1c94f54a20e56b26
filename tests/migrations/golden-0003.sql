CREATE TABLE papers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" TEXT NOT NULL, 
	first_seen_at VARCHAR(27) NOT NULL, 
	version INTEGER, 
	withdrawn BOOLEAN NOT NULL, 
	authors_count INTEGER, 
	published_at VARCHAR(27), 
	updated_at VARCHAR(27), 
	url TEXT, 
	pdf_url TEXT, 
	code_url TEXT, 
	primary_category TEXT, 
	categories TEXT, 
	comment TEXT, 
	journal_ref TEXT, 
	title TEXT NOT NULL, 
	title_source TEXT, 
	abstract TEXT, 
	abstract_source TEXT, 
	CONSTRAINT uq_papers_key UNIQUE ("key")
);
CREATE TABLE listings (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	period TEXT NOT NULL, 
	listed_on DATE NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT NOT NULL, 
	retrieved_at VARCHAR(27) NOT NULL, 
	attempted_at VARCHAR(27) NOT NULL, 
	announced_count INTEGER, 
	dropped INTEGER NOT NULL, 
	note TEXT, 
	url TEXT, 
	CONSTRAINT pk_listings PRIMARY KEY (id), 
	CONSTRAINT uq_listings_source_period_listed_on UNIQUE (source, period, listed_on), 
	CONSTRAINT ck_listings_state CHECK (state IN ('complete', 'partial', 'stale', 'quiet', 'failed'))
);
CREATE TABLE validators (
	url TEXT NOT NULL, 
	etag TEXT, 
	last_modified TEXT, 
	moved_to TEXT, 
	gone BOOLEAN NOT NULL, 
	next_attempt_at VARCHAR(27), 
	observed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_validators PRIMARY KEY (url)
);
CREATE TABLE waits (
	host_group TEXT NOT NULL, 
	not_before_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_waits PRIMARY KEY (host_group)
);
CREATE TABLE subscribers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	email TEXT NOT NULL, 
	name TEXT, 
	status TEXT NOT NULL, 
	days TEXT NOT NULL, 
	at TEXT NOT NULL, 
	tz TEXT NOT NULL, 
	pause_until DATE, 
	max_papers INTEGER NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	examined_on DATE, 
	on_empty TEXT DEFAULT 'skip' NOT NULL, 
	attach_bibtex BOOLEAN DEFAULT '0' NOT NULL, 
	examined_papers INTEGER, 
	CONSTRAINT ck_subscribers_status CHECK (status IN ('pending', 'active', 'paused', 'unsubscribed')), 
	CONSTRAINT uq_subscribers_email UNIQUE (email)
);
CREATE TABLE fragments (
	"key" BLOB NOT NULL, 
	frozen TEXT NOT NULL, 
	CONSTRAINT pk_fragments PRIMARY KEY ("key")
);
CREATE TABLE pauses (
	name TEXT NOT NULL, 
	since_at VARCHAR(27) NOT NULL, 
	until_at VARCHAR(27) NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_pauses PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE alarms (
	name TEXT NOT NULL, 
	raised_at VARCHAR(27) NOT NULL, 
	told_at VARCHAR(27), 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_alarms PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	started_at VARCHAR(27) NOT NULL, 
	finished_at VARCHAR(27), 
	detail TEXT, 
	CONSTRAINT pk_runs PRIMARY KEY (id)
);
CREATE TABLE archive_statistics (
	id INTEGER NOT NULL, 
	documents INTEGER NOT NULL, 
	total_length BIGINT NOT NULL, 
	counted_up_to INTEGER NOT NULL, 
	counted_by VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_archive_statistics PRIMARY KEY (id), 
	CONSTRAINT ck_archive_statistics_one_row CHECK (id = 1)
);
CREATE TABLE term_statistics (
	term TEXT NOT NULL, 
	documents INTEGER NOT NULL, 
	CONSTRAINT pk_term_statistics PRIMARY KEY (term)
)
 WITHOUT ROWID;
CREATE TABLE recounts (
	paper_id INTEGER NOT NULL, 
	title TEXT NOT NULL, 
	abstract TEXT, 
	CONSTRAINT pk_recounts PRIMARY KEY (paper_id)
);
CREATE TABLE vector_models (
	name TEXT NOT NULL, 
	dimensions INTEGER NOT NULL, 
	CONSTRAINT pk_vector_models PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE paper_keys (
	"key" TEXT NOT NULL, 
	paper_id INTEGER NOT NULL, 
	CONSTRAINT pk_paper_keys PRIMARY KEY ("key"), 
	CONSTRAINT fk_paper_keys_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
)
 WITHOUT ROWID;
CREATE TABLE provenance (
	paper_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	authority INTEGER NOT NULL, 
	observed_at VARCHAR(27) NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	stamps TEXT, 
	CONSTRAINT pk_provenance PRIMARY KEY (paper_id), 
	CONSTRAINT fk_provenance_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
);
CREATE TABLE versions (
	paper_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	first_seen_at VARCHAR(27) NOT NULL, 
	source TEXT NOT NULL, 
	CONSTRAINT pk_versions PRIMARY KEY (paper_id, version), 
	CONSTRAINT fk_versions_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
)
 WITHOUT ROWID;
CREATE TABLE authors (
	paper_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	affiliation TEXT, 
	CONSTRAINT pk_authors PRIMARY KEY (paper_id, position), 
	CONSTRAINT fk_authors_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
)
 WITHOUT ROWID;
CREATE TABLE entries (
	listing_id INTEGER NOT NULL, 
	paper_id INTEGER NOT NULL, 
	rank INTEGER, 
	announce_type TEXT, 
	placed_at VARCHAR(27) NOT NULL, 
	upvotes INTEGER, 
	comments INTEGER, 
	voted_at VARCHAR(27) NOT NULL, 
	confirmed BOOLEAN NOT NULL, 
	CONSTRAINT pk_entries PRIMARY KEY (listing_id, paper_id), 
	CONSTRAINT fk_entries_listing_id FOREIGN KEY(listing_id) REFERENCES listings (id), 
	CONSTRAINT fk_entries_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
)
 WITHOUT ROWID;
CREATE TABLE votes (
	id INTEGER NOT NULL, 
	listing_id INTEGER NOT NULL, 
	paper_id INTEGER NOT NULL, 
	upvotes INTEGER, 
	comments INTEGER, 
	observed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_votes PRIMARY KEY (id), 
	CONSTRAINT fk_votes_listing_id FOREIGN KEY(listing_id) REFERENCES listings (id), 
	CONSTRAINT fk_votes_paper_id FOREIGN KEY(paper_id) REFERENCES papers (id)
);
CREATE TABLE topics (
	subscriber_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	"query" TEXT NOT NULL, 
	weight FLOAT NOT NULL, 
	quota FLOAT, 
	threshold FLOAT, 
	CONSTRAINT pk_topics PRIMARY KEY (subscriber_id, position), 
	CONSTRAINT uq_topics_subscriber_id_name UNIQUE (subscriber_id, name), 
	CONSTRAINT fk_topics_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE TABLE digests (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subscriber_id INTEGER NOT NULL, 
	edition DATE NOT NULL, 
	composed_at VARCHAR(27) NOT NULL, 
	considered INTEGER NOT NULL, 
	frozen TEXT NOT NULL, 
	CONSTRAINT uq_digests_subscriber_id_edition UNIQUE (subscriber_id, edition), 
	CONSTRAINT fk_digests_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE suppressions (
	address_hash BLOB NOT NULL, 
	subscriber_id INTEGER, 
	reason TEXT NOT NULL, 
	since_at VARCHAR(27) NOT NULL, 
	until_at VARCHAR(27), 
	detail TEXT, 
	CONSTRAINT pk_suppressions PRIMARY KEY (address_hash), 
	CONSTRAINT fk_suppressions_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE SET NULL
);
CREATE TABLE vectors (
	model TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	vector BLOB NOT NULL, 
	CONSTRAINT pk_vectors PRIMARY KEY (model, digest), 
	CONSTRAINT fk_vectors_model FOREIGN KEY(model) REFERENCES vector_models (name) ON DELETE CASCADE
);
CREATE TABLE judgements (
	id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	topic TEXT, 
	paper_key TEXT NOT NULL, 
	title TEXT NOT NULL, 
	abstract TEXT, 
	liked BOOLEAN NOT NULL, 
	judged_at VARCHAR(27) NOT NULL, 
	origin TEXT NOT NULL, 
	CONSTRAINT pk_judgements PRIMARY KEY (id), 
	CONSTRAINT fk_judgements_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE learning (
	subscriber_id INTEGER NOT NULL, 
	topic TEXT NOT NULL, 
	judgements_seen INTEGER NOT NULL, 
	kept BOOLEAN NOT NULL, 
	score_before FLOAT NOT NULL, 
	score_after FLOAT NOT NULL, 
	judged_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_learning PRIMARY KEY (subscriber_id, topic), 
	CONSTRAINT fk_learning_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE TABLE digest_items (
	digest_id INTEGER NOT NULL, 
	paper_key TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	placement TEXT DEFAULT 'new' NOT NULL, 
	propensity FLOAT, 
	score FLOAT, 
	topic TEXT, 
	version INTEGER, 
	fragment BLOB, 
	CONSTRAINT pk_digest_items PRIMARY KEY (digest_id, paper_key), 
	CONSTRAINT fk_digest_items_digest_id FOREIGN KEY(digest_id) REFERENCES digests (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE TABLE deliveries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	digest_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	message_id TEXT NOT NULL, 
	next_attempt_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27) NOT NULL, 
	lease_owner TEXT, 
	lease_until VARCHAR(27), 
	lease_epoch INTEGER NOT NULL, 
	code INTEGER, 
	detail TEXT, 
	sent_at VARCHAR(27), 
	status TEXT, 
	phase TEXT, 
	content_hash BLOB, 
	CONSTRAINT ck_deliveries_state CHECK (state IN ('planned', 'leased', 'sending', 'sent', 'deferred', 'failed', 'expired', 'skipped', 'in_doubt')), 
	CONSTRAINT uq_deliveries_digest_id UNIQUE (digest_id), 
	CONSTRAINT fk_deliveries_digest_id FOREIGN KEY(digest_id) REFERENCES digests (id) ON DELETE CASCADE, 
	CONSTRAINT uq_deliveries_message_id UNIQUE (message_id)
);
CREATE TABLE attempts (
	delivery_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	ended_at VARCHAR(27) NOT NULL, 
	state TEXT NOT NULL, 
	phase TEXT, 
	code INTEGER, 
	status TEXT, 
	detail TEXT, 
	CONSTRAINT pk_attempts PRIMARY KEY (delivery_id, number), 
	CONSTRAINT fk_attempts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE TABLE letters (
	delivery_id INTEGER NOT NULL, 
	sender TEXT NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_letters PRIMARY KEY (delivery_id), 
	CONSTRAINT fk_letters_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
);
CREATE TABLE bounces (
	id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	delivery_id INTEGER, 
	received_at VARCHAR(27) NOT NULL, 
	kind TEXT NOT NULL, 
	status TEXT, 
	detail TEXT, 
	CONSTRAINT pk_bounces PRIMARY KEY (id), 
	CONSTRAINT uq_bounces_delivery_id_kind UNIQUE (delivery_id, kind), 
	CONSTRAINT fk_bounces_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE, 
	CONSTRAINT fk_bounces_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE SET NULL
);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE VIEW paper_texts AS
    SELECT id, title, abstract, (
      SELECT group_concat(name, '; ') FROM (
        SELECT name FROM authors WHERE paper_id = papers.id ORDER BY position
      )
    ) AS authors
    FROM papers;
CREATE INDEX ix_papers_first_seen_at ON papers (first_seen_at);
CREATE INDEX ix_papers_published_at ON papers (published_at);
CREATE INDEX ix_runs_kind ON runs (kind, started_at);
CREATE INDEX ix_paper_keys_paper_id ON paper_keys (paper_id);
CREATE INDEX ix_entries_paper_id ON entries (paper_id);
CREATE UNIQUE INDEX ix_votes_pair ON votes (listing_id, paper_id, coalesce(upvotes, -1), coalesce(comments, -1));
CREATE INDEX ix_votes_paper_id ON votes (paper_id);
CREATE INDEX ix_suppressions_subscriber_id ON suppressions (subscriber_id);
CREATE UNIQUE INDEX ix_judgements_said ON judgements (subscriber_id, coalesce(topic, ''), paper_key);
CREATE INDEX ix_deliveries_planned ON deliveries (next_attempt_at) WHERE state = 'planned';
CREATE INDEX ix_deliveries_leased ON deliveries (lease_until) WHERE state = 'leased';
CREATE INDEX ix_deliveries_deferred ON deliveries (next_attempt_at) WHERE state = 'deferred';
CREATE INDEX ix_deliveries_sending ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX ix_bounces_subscriber ON bounces (subscriber_id, received_at);
CREATE INDEX ix_bounces_received ON bounces (received_at);
CREATE VIRTUAL TABLE paper_search USING fts5(
      title, abstract, authors, content='paper_texts', content_rowid='id',
      tokenize="porter unicode61 remove_diacritics 2 separators '⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀₁₂₃₄₅₆₇₈₉'"
    );
INSERT INTO papers VALUES (1, 'arxiv:2604.00001', '2026-04-15T06:00:00.000000Z', 2, 0, 2, '2026-04-01T00:00:00.000000Z', NULL, NULL, NULL, NULL, NULL, '["cs.SE", "cs.PL"]', NULL, NULL, 'Tracing what was traced', NULL, 'We trace traces.', NULL);
INSERT INTO papers VALUES (2, 'arxiv:2604.00002', '2026-04-15T06:00:00.000000Z', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'A study of something', NULL, NULL, NULL);
INSERT INTO listings VALUES (1, 'hf', 'day', '2026-04-15', 'huggingface', 'complete', '2026-04-15T06:00:00.000000Z', '2026-04-15T06:00:00.000000Z', NULL, 0, NULL, NULL);
INSERT INTO listings VALUES (2, 'arxiv', 'day', '2026-04-15', 'huggingface', 'complete', '2026-04-15T07:00:00.000000Z', '2026-04-15T07:00:00.000000Z', NULL, 0, NULL, NULL);
INSERT INTO listings VALUES (3, 'hf', 'day', '2026-04-16', 'huggingface', 'complete', '2026-04-16T06:00:00.000000Z', '2026-04-16T06:00:00.000000Z', NULL, 0, NULL, NULL);
INSERT INTO validators VALUES ('https://a.example/', 'W/"1"', NULL, NULL, 0, NULL, '2026-04-15T06:00:00.000000Z');
INSERT INTO waits VALUES ('arxiv', '2026-04-15T12:00:00.000000Z');
INSERT INTO subscribers VALUES (1, 'you@example.org', NULL, 'active', '0123456', '07:00', 'UTC', NULL, 10, '2026-04-15T06:00:00.000000Z', '2026-04-14', 'note', 1, 2);
INSERT INTO fragments VALUES (X'5092E2DF69008B92252641F7BE1A8A70', '{"paper":{"id":{"scheme":"arxiv","local":"2604.00002"},"title":"A study of something","abstract":null,"title_source":null,"abstract_source":null,"authors":[],"authors_count":null,"published_at":null,"updated_at":null,"version":null,"url":null,"pdf_url":null,"code_url":null,"primary_category":null,"categories":[],"comment":null,"journal_ref":null,"withdrawn":false,"aliases":[]},"first_seen_at":"2026-04-15T06:00:00+00:00","entries":[{"source":"hf","listed_on":"2026-04-15","rank":null,"upvotes":null,"comments":null,"announce_type":null}]}');
INSERT INTO fragments VALUES (X'6E99CB2C5B94CE8B39FB20D39D62B4C6', '{"stored":"5092e2df69008b92252641f7be1a8a70","score":0.5,"topic":"trace","reasons":[],"also":["liked"],"placement":"explored","propensity":0.25,"highlights":[{"field":"title","start":0,"end":1}]}');
INSERT INTO pauses VALUES ('mail', '2026-04-15T06:00:00.000000Z', '2026-04-15T07:00:00.000000Z', '535 no');
INSERT INTO alarms VALUES ('mail', '2026-04-15T06:00:00.000000Z', NULL, '535 no');
INSERT INTO runs VALUES (1, 'send', 'host:1:aa', '2026-04-15T06:00:00.000000Z', '2026-04-15T06:01:00.000000Z', '{"sent": 1}');
INSERT INTO archive_statistics VALUES (1, 2, 19, 2, '96501f256c3631b513e366a5f76d4218');
INSERT INTO term_statistics VALUES ('a', 1);
INSERT INTO term_statistics VALUES ('of', 1);
INSERT INTO term_statistics VALUES ('someth', 1);
INSERT INTO term_statistics VALUES ('studi', 1);
INSERT INTO term_statistics VALUES ('trace', 1);
INSERT INTO term_statistics VALUES ('wa', 1);
INSERT INTO term_statistics VALUES ('we', 1);
INSERT INTO term_statistics VALUES ('what', 1);
INSERT INTO vector_models VALUES ('model', 2);
INSERT INTO paper_keys VALUES ('arxiv:2604.00001', 1);
INSERT INTO paper_keys VALUES ('key:tracing what was traced|lovelace|2026', 1);
INSERT INTO paper_keys VALUES ('arxiv:2604.00002', 2);
INSERT INTO provenance VALUES (1, 2, 3, '2026-04-15T07:00:00.000000Z', '7a6b52bf9cd6b10e560a3d8a81276066', NULL);
INSERT INTO provenance VALUES (2, 0, 2, '2026-04-15T06:00:00.000000Z', 'cd8e5001cff9c942c41c61d651d363e2', NULL);
INSERT INTO versions VALUES (1, 2, '2026-04-15T06:00:00.000000Z', 'hf');
INSERT INTO authors VALUES (1, 1, 'Ada Lovelace', NULL);
INSERT INTO authors VALUES (1, 2, 'Émilie du Châtelet', NULL);
INSERT INTO entries VALUES (1, 1, 1, NULL, '2026-04-15T06:00:00.000000Z', 3, 0, '2026-04-15T06:00:00.000000Z', 1);
INSERT INTO entries VALUES (1, 2, NULL, NULL, '2026-04-15T06:00:00.000000Z', NULL, NULL, '2026-04-15T06:00:00.000000Z', 1);
INSERT INTO entries VALUES (2, 1, NULL, 'replace', '2026-04-15T07:00:00.000000Z', NULL, NULL, '2026-04-15T07:00:00.000000Z', 1);
INSERT INTO entries VALUES (3, 1, NULL, NULL, '2026-04-16T06:00:00.000000Z', 5, NULL, '2026-04-16T06:00:00.000000Z', 1);
INSERT INTO votes VALUES (1, 1, 1, 3, 0, '2026-04-15T06:00:00.000000Z');
INSERT INTO votes VALUES (2, 3, 1, 5, NULL, '2026-04-16T06:00:00.000000Z');
INSERT INTO topics VALUES (1, 1, 'trace', 'trace', 1.0, NULL, 0.25);
INSERT INTO topics VALUES (1, 2, 'liked', '', 1.0, NULL, NULL);
INSERT INTO digests VALUES (1, 1, '2026-04-15', '2026-04-15T06:00:00.000000Z', 2, '{"subscriber":{"email":"you@example.org","name":null,"status":"pending","schedule":{"days":[0,1,2,3,4,5,6],"at":"07:00:00","tz":"UTC","pause_until":null},"topics":[{"name":"trace","query":"trace","weight":1.0,"quota":null,"threshold":0.25},{"name":"liked","query":"","weight":1.0,"quota":null,"threshold":null}],"max_papers":10,"on_empty":"skip","attach_bibtex":false,"created_at":"2026-04-15T06:00:00+00:00","id":1},"edition":"2026-04-15","composed_at":"2026-04-15T06:00:00+00:00","revised":[{"paper":{"id":{"scheme":"arxiv","local":"2604.00001"},"title":"Tracing what was traced","abstract":"We trace traces.","title_source":null,"abstract_source":null,"authors":[{"name":"Ada Lovelace","affiliation":null},{"name":"\u00c9milie du Ch\u00e2telet","affiliation":null}],"authors_count":2,"published_at":"2026-04-01T00:00:00+00:00","updated_at":null,"version":2,"url":null,"pdf_url":null,"code_url":null,"primary_category":null,"categories":["cs.SE","cs.PL"],"comment":null,"journal_ref":null,"withdrawn":false,"aliases":[]},"first_seen_at":"2026-04-15T06:00:00+00:00","entries":[{"source":"arxiv","listed_on":"2026-04-15","rank":null,"upvotes":null,"comments":null,"announce_type":"replace"},{"source":"hf","listed_on":"2026-04-15","rank":1,"upvotes":3,"comments":0,"announce_type":null},{"source":"hf","listed_on":"2026-04-16","rank":null,"upvotes":5,"comments":null,"announce_type":null}]}],"notes":["More like it."],"quiet":[],"method":"bt","considered":2,"id":0}');
INSERT INTO digests VALUES (2, 1, '2026-04-16', '2026-04-15T06:00:00.000000Z', 0, '{"subscriber":{"email":"you@example.org","name":null,"status":"active","schedule":{"days":[0,1,2,3,4,5,6],"at":"07:00:00","tz":"UTC","pause_until":null},"topics":[{"name":"trace","query":"trace","weight":1.0,"quota":null,"threshold":0.25},{"name":"liked","query":"","weight":1.0,"quota":null,"threshold":null}],"max_papers":10,"on_empty":"note","attach_bibtex":true,"created_at":"2026-04-15T06:00:00+00:00","id":1},"edition":"2026-04-16","composed_at":"2026-04-15T06:00:00+00:00","revised":[],"notes":[],"quiet":["A holiday."],"method":"","considered":0,"id":0}');
INSERT INTO digests VALUES (3, 1, '2026-04-17', '2026-04-15T06:00:00.000000Z', 0, '{"subscriber":{"email":"you@example.org","name":null,"status":"active","schedule":{"days":[0,1,2,3,4,5,6],"at":"07:00:00","tz":"UTC","pause_until":null},"topics":[{"name":"trace","query":"trace","weight":1.0,"quota":null,"threshold":0.25},{"name":"liked","query":"","weight":1.0,"quota":null,"threshold":null}],"max_papers":10,"on_empty":"note","attach_bibtex":true,"created_at":"2026-04-15T06:00:00+00:00","id":1},"edition":"2026-04-17","composed_at":"2026-04-15T06:00:00+00:00","revised":[],"notes":[],"quiet":["A holiday."],"method":"","considered":0,"id":0}');
INSERT INTO suppressions VALUES (X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F', 1, 'suspended', '2026-03-01T00:00:00.000000Z', '2026-03-31T00:00:00.000000Z', 'mailbox full');
INSERT INTO vectors VALUES ('model', X'D732C6BE860E019351F99173FA6AE612', X'003800BC');
INSERT INTO judgements VALUES (1, 1, 'trace', 'arxiv:2604.00001', 'Tracing', NULL, 1, '2026-04-15T06:00:00.000000Z', 'reader');
INSERT INTO digest_items VALUES (1, 'arxiv:2604.00001', 2, 'revised', NULL, NULL, NULL, 2, NULL);
INSERT INTO digest_items VALUES (1, 'arxiv:2604.00002', 1, 'explored', 0.25, 0.5, 'trace', NULL, X'6E99CB2C5B94CE8B39FB20D39D62B4C6');
INSERT INTO deliveries VALUES (1, 1, 'in_doubt', 1, '<1@x>', '2026-04-15T06:05:00.000000Z', '2026-05-15T06:00:00.000000Z', NULL, NULL, 1, NULL, 'no answer after the final dot', NULL, NULL, 'dot', X'30313233343536373839616263646566');
INSERT INTO deliveries VALUES (2, 2, 'sent', 1, '<2@x>', '2026-04-15T06:00:00.000000Z', '2026-05-15T06:00:00.000000Z', NULL, NULL, 1, 250, 'queued', '2026-04-15T06:00:00.000000Z', '2.0.0', NULL, X'30313233343536373839616263646566');
INSERT INTO deliveries VALUES (3, 3, 'deferred', 1, '<3@x>', '2026-04-15T06:05:00.000000Z', '2026-05-15T06:00:00.000000Z', NULL, NULL, 1, 452, NULL, NULL, '4.2.2', 'rcpt', NULL);
INSERT INTO attempts VALUES (1, 1, '2026-04-15T06:00:00.000000Z', 'in_doubt', 'dot', NULL, NULL, 'no answer after the final dot');
INSERT INTO attempts VALUES (3, 1, '2026-04-15T06:00:00.000000Z', 'deferred', 'rcpt', 452, '4.2.2', NULL);
INSERT INTO letters VALUES (1, 'b+token@bounces.example.org', X'789C0B2E4DCA4A4D2EB15228482C482D2AE6E5E2E50A294A4CCECC4BD7E3E50200932B08F1');
INSERT INTO bounces VALUES (1, 1, 2, '2026-04-16T07:00:00.000000Z', 'mailbox', '4.2.2', 'mailbox full');
INSERT INTO alembic_version VALUES ('0003');
INSERT INTO paper_search (paper_search) VALUES ('rebuild');
PRAGMA application_id = 1885628775;
PRAGMA user_version = 3;
