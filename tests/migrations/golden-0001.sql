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
	CONSTRAINT ck_subscribers_status CHECK (status IN ('pending', 'active', 'paused', 'unsubscribed')), 
	CONSTRAINT uq_subscribers_email UNIQUE (email)
);
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
CREATE TABLE digest_items (
	digest_id INTEGER NOT NULL, 
	paper_key TEXT NOT NULL, 
	position INTEGER NOT NULL, 
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
	CONSTRAINT ck_deliveries_state CHECK (state IN ('planned', 'leased', 'sending', 'sent', 'deferred', 'failed', 'expired', 'skipped', 'in_doubt')), 
	CONSTRAINT uq_deliveries_digest_id UNIQUE (digest_id), 
	CONSTRAINT fk_deliveries_digest_id FOREIGN KEY(digest_id) REFERENCES digests (id) ON DELETE CASCADE, 
	CONSTRAINT uq_deliveries_message_id UNIQUE (message_id)
);
CREATE TABLE letters (
	delivery_id INTEGER NOT NULL, 
	sender TEXT NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_letters PRIMARY KEY (delivery_id), 
	CONSTRAINT fk_letters_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE VIEW paper_texts AS
    SELECT id, title, abstract, (
      SELECT group_concat(name, '; ') FROM (
        SELECT name FROM authors WHERE paper_id = papers.id ORDER BY position
      )
    ) AS authors
    FROM papers;
CREATE INDEX ix_papers_published_at ON papers (published_at);
CREATE INDEX ix_papers_first_seen_at ON papers (first_seen_at);
CREATE INDEX ix_paper_keys_paper_id ON paper_keys (paper_id);
CREATE INDEX ix_entries_paper_id ON entries (paper_id);
CREATE UNIQUE INDEX ix_votes_pair ON votes (listing_id, paper_id, coalesce(upvotes, -1), coalesce(comments, -1));
CREATE INDEX ix_votes_paper_id ON votes (paper_id);
CREATE INDEX ix_deliveries_leased ON deliveries (lease_until) WHERE state = 'leased';
CREATE INDEX ix_deliveries_deferred ON deliveries (next_attempt_at) WHERE state = 'deferred';
CREATE INDEX ix_deliveries_sending ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX ix_deliveries_planned ON deliveries (next_attempt_at) WHERE state = 'planned';
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
INSERT INTO alembic_version VALUES ('0001');
INSERT INTO paper_search (paper_search) VALUES ('rebuild');
PRAGMA application_id = 1885628775;
PRAGMA user_version = 1;
