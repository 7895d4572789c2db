//  config_strays - variables of the environment that look like settings and are none
//
//  A file with an unknown key is refused; a variable may be somebody else's, so it is only told.

#ifndef CONFIG_STRAYS_H
#define CONFIG_STRAYS_H

//  name is cut and clean; meant is the setting's variable that was probably meant, NULL when none is near.
typedef void (config_stray_fn) (void *arg, const char *name, const char *meant);

//  Calls stray with each variable of an environment (NAME=value, NULL behind the last) that begins as settings do.
void config_strays (char *const *environment, config_stray_fn *stray, void *arg);

//  Logs a warning for each in our own environment.
void config_strays_log (void);

#endif
