//  tracker_columns - the 131 columns of an enriched event, in order, and how long a text may be in each
//
//  The one list of them on this side of the journal. Lengths are in UTF-16 units; 0
//  means that Enrich 3.8.0 has no limit there. A longer text makes the event a bad row; it is never cut.

#ifndef TRACKER_COLUMNS_H_INCLUDED
#define TRACKER_COLUMNS_H_INCLUDED

// clang-format off
#define TRACKER_COLUMNS(X)                                                                                   \
    X (app_id, 255)                                                                                          \
    X (platform, 255)                                                                                        \
    X (etl_tstamp, 0)                                                                                        \
    X (collector_tstamp, 0)                                                                                  \
    X (dvce_created_tstamp, 0)                                                                               \
    X (event, 128)                                                                                           \
    X (event_id, 36)                                                                                         \
    X (txn_id, 0)                                                                                            \
    X (name_tracker, 128)                                                                                    \
    X (v_tracker, 100)                                                                                       \
    X (v_collector, 100)                                                                                     \
    X (v_etl, 100)                                                                                           \
    X (user_id, 255)                                                                                         \
    X (user_ipaddress, 128)                                                                                  \
    X (user_fingerprint, 128)                                                                                \
    X (domain_userid, 128)                                                                                   \
    X (domain_sessionidx, 0)                                                                                 \
    X (network_userid, 128)                                                                                  \
    X (geo_country, 2)                                                                                       \
    X (geo_region, 3)                                                                                        \
    X (geo_city, 75)                                                                                         \
    X (geo_zipcode, 15)                                                                                      \
    X (geo_latitude, 0)                                                                                      \
    X (geo_longitude, 0)                                                                                     \
    X (geo_region_name, 100)                                                                                 \
    X (ip_isp, 100)                                                                                          \
    X (ip_organization, 128)                                                                                 \
    X (ip_domain, 128)                                                                                       \
    X (ip_netspeed, 100)                                                                                     \
    X (page_url, 4096)                                                                                       \
    X (page_title, 2000)                                                                                     \
    X (page_referrer, 4096)                                                                                  \
    X (page_urlscheme, 16)                                                                                   \
    X (page_urlhost, 255)                                                                                    \
    X (page_urlport, 0)                                                                                      \
    X (page_urlpath, 3000)                                                                                   \
    X (page_urlquery, 6000)                                                                                  \
    X (page_urlfragment, 3000)                                                                               \
    X (refr_urlscheme, 16)                                                                                   \
    X (refr_urlhost, 255)                                                                                    \
    X (refr_urlport, 0)                                                                                      \
    X (refr_urlpath, 6000)                                                                                   \
    X (refr_urlquery, 6000)                                                                                  \
    X (refr_urlfragment, 3000)                                                                               \
    X (refr_medium, 25)                                                                                      \
    X (refr_source, 50)                                                                                      \
    X (refr_term, 255)                                                                                       \
    X (mkt_medium, 255)                                                                                      \
    X (mkt_source, 255)                                                                                      \
    X (mkt_term, 255)                                                                                        \
    X (mkt_content, 500)                                                                                     \
    X (mkt_campaign, 255)                                                                                    \
    X (contexts, 0)                                                                                          \
    X (se_category, 1000)                                                                                    \
    X (se_action, 1000)                                                                                      \
    X (se_label, 4096)                                                                                       \
    X (se_property, 1000)                                                                                    \
    X (se_value, 0)                                                                                          \
    X (unstruct_event, 0)                                                                                    \
    X (tr_orderid, 255)                                                                                      \
    X (tr_affiliation, 255)                                                                                  \
    X (tr_total, 0)                                                                                          \
    X (tr_tax, 0)                                                                                            \
    X (tr_shipping, 0)                                                                                       \
    X (tr_city, 255)                                                                                         \
    X (tr_state, 255)                                                                                        \
    X (tr_country, 255)                                                                                      \
    X (ti_orderid, 255)                                                                                      \
    X (ti_sku, 255)                                                                                          \
    X (ti_name, 255)                                                                                         \
    X (ti_category, 255)                                                                                     \
    X (ti_price, 0)                                                                                          \
    X (ti_quantity, 0)                                                                                       \
    X (pp_xoffset_min, 0)                                                                                    \
    X (pp_xoffset_max, 0)                                                                                    \
    X (pp_yoffset_min, 0)                                                                                    \
    X (pp_yoffset_max, 0)                                                                                    \
    X (useragent, 1000)                                                                                      \
    X (br_name, 50)                                                                                          \
    X (br_family, 50)                                                                                        \
    X (br_version, 50)                                                                                       \
    X (br_type, 50)                                                                                          \
    X (br_renderengine, 50)                                                                                  \
    X (br_lang, 255)                                                                                         \
    X (br_features_pdf, 0)                                                                                   \
    X (br_features_flash, 0)                                                                                 \
    X (br_features_java, 0)                                                                                  \
    X (br_features_director, 0)                                                                              \
    X (br_features_quicktime, 0)                                                                             \
    X (br_features_realplayer, 0)                                                                            \
    X (br_features_windowsmedia, 0)                                                                          \
    X (br_features_gears, 0)                                                                                 \
    X (br_features_silverlight, 0)                                                                           \
    X (br_cookies, 0)                                                                                        \
    X (br_colordepth, 12)                                                                                    \
    X (br_viewwidth, 0)                                                                                      \
    X (br_viewheight, 0)                                                                                     \
    X (os_name, 50)                                                                                          \
    X (os_family, 50)                                                                                        \
    X (os_manufacturer, 50)                                                                                  \
    X (os_timezone, 255)                                                                                     \
    X (dvce_type, 50)                                                                                        \
    X (dvce_ismobile, 0)                                                                                     \
    X (dvce_screenwidth, 0)                                                                                  \
    X (dvce_screenheight, 0)                                                                                 \
    X (doc_charset, 128)                                                                                     \
    X (doc_width, 0)                                                                                         \
    X (doc_height, 0)                                                                                        \
    X (tr_currency, 3)                                                                                       \
    X (tr_total_base, 0)                                                                                     \
    X (tr_tax_base, 0)                                                                                       \
    X (tr_shipping_base, 0)                                                                                  \
    X (ti_currency, 3)                                                                                       \
    X (ti_price_base, 0)                                                                                     \
    X (base_currency, 3)                                                                                     \
    X (geo_timezone, 64)                                                                                     \
    X (mkt_clickid, 128)                                                                                     \
    X (mkt_network, 64)                                                                                      \
    X (etl_tags, 500)                                                                                        \
    X (dvce_sent_tstamp, 0)                                                                                  \
    X (refr_domain_userid, 128)                                                                              \
    X (refr_device_tstamp, 0)                                                                                \
    X (derived_contexts, 0)                                                                                  \
    X (domain_sessionid, 128)                                                                                \
    X (derived_tstamp, 0)                                                                                    \
    X (event_vendor, 1000)                                                                                   \
    X (event_name, 1000)                                                                                     \
    X (event_format, 128)                                                                                    \
    X (event_version, 128)                                                                                   \
    X (event_fingerprint, 128)                                                                               \
    X (true_tstamp, 0)
// clang-format on

typedef enum {
#define X(name, length_max) COL_##name,
    TRACKER_COLUMNS (X)
#undef X
        TRACKER_COLUMN_COUNT
} tracker_column_t;

_Static_assert(TRACKER_COLUMN_COUNT == 131, "an enriched event has 131 columns");

#endif
