//  nothing - what messages.def asks for and its reader did not define expands to nothing
//
//  No include guard: messages.def undefines these at its end, so that it can be read again.

#ifndef CHOICE
#define CHOICE(type, value)
#endif
#ifndef LINK
#define LINK(link, client, binder)
#endif
#ifndef MESSAGE
#define MESSAGE(message, id, link, direction, doc)
#endif
#ifndef FIELD
#define FIELD(message, field, kind, limit, doc)
#endif
#ifndef END
#define END(message)
#endif
